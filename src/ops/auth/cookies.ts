import type { OpsDeps } from "../deps.ts";

/** The cookies of one request, by name; the first of a name counts. */
export function readCookies(request: Request): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at > 0 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}

export interface CookieDraft {
  readonly name: string;
  /** Must hold no character that a cookie cannot: base64url and percent-encoded text are fine. */
  readonly value: string;
  /** Seconds; 0 removes the cookie. */
  readonly maxAgeSeconds: number;
  readonly secure: boolean;
}

/** A `Set-Cookie` header: no script reads it, and no other site's link or form brings it along. */
export function cookieHeader({ name, value, maxAgeSeconds, secure }: CookieDraft): string {
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
}

/** The name under which a cookie travels: over https `__Host-`, so that no neighbouring host can plant one. */
export function cookieName(name: string, secure: boolean): string {
  return secure ? `__Host-${name}` : name;
}

/** Whether the operator's browser speaks https: by `PUBLIC_URL`, by the connection, or by what a trusted proxy says. */
export function isSecure(
  { config, clientAddress }: Pick<OpsDeps, "config" | "clientAddress">,
  request: Request,
  peer: string | null,
): boolean {
  if (config.publicUrl?.startsWith("https:")) return true;
  if (request.url.startsWith("https:")) return true;
  const forwarded = request.headers.get("x-forwarded-proto");
  return forwarded !== null && clientAddress.isTrusted(peer) && forwarded.split(",")[0]?.trim() === "https";
}
