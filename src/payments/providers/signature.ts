import { equalInConstantTime, hmacSha256Hex } from "../../platform/digests.ts";

/** Requests signed longer ago, or further ahead, than this are refused: a recorded one cannot be sent again later. */
const TOLERANCE_SECONDS = 300;

/**
 * Checks a `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">` header, the scheme of Stripe's webhooks. Several
 * `v1` may stand there while a secret is being changed. Answers what is wrong, or null.
 */
export function timestampedSignatureFault(
  header: string | null,
  body: Uint8Array,
  secret: string,
  now: Date,
): string | null {
  if (header === null) return "the signature header is missing";
  const parts = partsOf(header);
  const timestamp = parts.find(([key]) => key === "t")?.[1] ?? "";
  const signatures = parts.filter(([key]) => key === "v1").map(([, value]) => value);
  if (!/^\d{1,12}$/.test(timestamp) || signatures.length === 0) return "the signature header has no t and v1";
  const expected = hmacSha256Hex(secret, Buffer.concat([Buffer.from(`${timestamp}.`), body]));
  if (!signatures.some((signature) => equalInConstantTime(signature.toLowerCase(), expected))) {
    return "the signature does not match the body";
  }
  const age = Math.abs(now.getTime() / 1000 - Number(timestamp));
  return age > TOLERANCE_SECONDS ? "the signature is older than five minutes, or from the future" : null;
}

/**
 * Checks Mercado Pago's `x-signature: ts=<time>,v1=<hex>`: HMAC-SHA256 over `id:<data.id>;request-id:<…>;ts:<…>;`, where
 * `data.id` comes from the query, in lower case, and what a notification does not have is left out. The body is not
 * signed. Answers what is wrong, or null. Source: Mercado Pago, "Webhooks", validating a notification's origin.
 *
 * Its age is no fault: a notification is repeated for days, the documentation does not say that a repetition is signed
 * anew (nor, everywhere, whether `ts` is in seconds), and all that a recorded one brings about is that the payment is
 * read from Mercado Pago once more.
 */
export function manifestSignatureFault(
  header: string | null,
  signed: { readonly dataId: string | null; readonly requestId: string | null },
  secret: string,
): string | null {
  if (header === null) return "the signature header is missing";
  const parts = new Map(partsOf(header));
  const ts = parts.get("ts");
  const v1 = parts.get("v1");
  if (!ts || !v1 || !/^\d{1,16}$/.test(ts)) return "the signature header has no ts and v1";
  const manifest = [
    signed.dataId ? `id:${signed.dataId.toLowerCase()};` : "",
    signed.requestId ? `request-id:${signed.requestId};` : "",
    `ts:${ts};`,
  ].join("");
  const isGenuine = equalInConstantTime(v1.toLowerCase(), hmacSha256Hex(secret, manifest));
  return isGenuine ? null : "the signature does not match the notification";
}

/** `key=value,key=value`. */
function partsOf(header: string): [string, string][] {
  return header.split(",").map((part) => {
    const [key = "", value = ""] = part.split("=", 2);
    return [key.trim(), value.trim()];
  });
}
