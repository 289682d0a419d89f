import { equalInConstantTime, hmacSha256Hex } from "../../platform/secrets.ts";

/** Requests signed longer ago, or further ahead, than this are refused: a recorded one cannot be sent again later. */
const TOLERANCE_SECONDS = 300;

/**
 * Checks a `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">` header, the scheme of Stripe's webhooks. Several
 * `v1` may stand there while a secret is being changed. Answers what is wrong, or null.
 */
export function timestampedSignatureFault(
  header: string | null,
  rawBody: string,
  secret: string,
  now: Date,
): string | null {
  if (header === null) return "the signature header is missing";
  const parts = header.split(",").map((part) => part.trim().split("=", 2));
  const timestamp = parts.find(([key]) => key === "t")?.[1] ?? "";
  const signatures = parts.filter(([key]) => key === "v1").map(([, value]) => value ?? "");
  if (!/^\d{1,12}$/.test(timestamp) || signatures.length === 0) return "the signature header has no t and v1";
  const expected = hmacSha256Hex(secret, `${timestamp}.${rawBody}`);
  if (!signatures.some((signature) => equalInConstantTime(signature.toLowerCase(), expected))) {
    return "the signature does not match the body";
  }
  const age = Math.abs(now.getTime() / 1000 - Number(timestamp));
  return age > TOLERANCE_SECONDS ? "the signature is older than five minutes, or from the future" : null;
}
