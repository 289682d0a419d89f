import type { Charge, Charges } from "./providers-charges.ts";

/** What the handlers of a stood-in provider work with. */
export interface ProviderApi {
  readonly now: () => number;
  readonly charges: Charges;
}

/** A webhook ready to be sent. */
export interface Webhook {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How a webhook is to be made: the secret it is signed with, and what is to be wrong about it. */
export interface WebhookOrder {
  readonly secret: string;
  /** The merchant's address, where the provider is told it in its panel. */
  readonly url: string | null;
  readonly signature: "good" | "forged" | "stale";
  readonly format: "json" | "form";
}

/** The bearer token of a request; null where it has none that could be one. */
export function bearer(request: Request): string | null {
  return /^Bearer (\S{8,})$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? null;
}

/** The charge that an idempotency key made before, or a new one; null where the same key asked for something else. */
export function onceFor(
  charges: Charges,
  key: string | null,
  asked: string,
  make: () => Charge,
): { readonly charge: Charge; readonly isNew: boolean } | null {
  const before = key === null ? undefined : charges.idempotent.get(key);
  if (before) return before.asked === asked ? { charge: before.charge, isNew: false } : null;
  const charge = charges.add(make());
  if (key !== null) charges.idempotent.set(key, { asked, charge });
  return { charge, isNew: true };
}

/** The HMAC-SHA256 of a text, in hex, with which webhooks are signed. */
export function hmacHex(secret: string, text: string): string {
  return new Bun.CryptoHasher("sha256", secret).update(text).digest("hex");
}

/** So many random bytes in hex: twice as many characters. */
export function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
}
