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

/** How long a cookie is kept that outlives the session. */
export const YEAR_SECONDS = 365 * 86_400;

interface CookieDraft {
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

interface SecurityDeps {
  readonly config: Pick<OpsDeps["config"], "publicUrl">;
  readonly clientAddress: Pick<OpsDeps["clientAddress"], "isTrusted">;
}

/** Whether the operator's browser is to speak https: by `PUBLIC_URL`, or because it does. */
export function isSecure(deps: SecurityDeps, request: Request, peer: string | null): boolean {
  return hasHttpsAddress(deps) || isHttps(deps, request, peer);
}

/**
 * Where to go instead, for a browser that would drop the console's cookies, which are `Secure`, because it speaks plain
 * http; null where it keeps them. Behind a proxy that is not trusted only the browser itself can tell: it says
 * `Sec-Fetch-Site` over connections that it takes for safe alone. Source: W3C, "Fetch Metadata Request Headers", 2.
 */
export function safeAddress(deps: SecurityDeps, request: Request, peer: string | null): string | null {
  if (!hasHttpsAddress(deps) || isHttps(deps, request, peer)) return null;
  return request.headers.has("sec-fetch-site") ? null : `${deps.config.publicUrl}/ops`;
}

function hasHttpsAddress({ config }: SecurityDeps): boolean {
  return config.publicUrl?.startsWith("https:") ?? false;
}

/** By the connection, or by what a trusted proxy says. */
function isHttps({ clientAddress }: SecurityDeps, request: Request, peer: string | null): boolean {
  if (request.url.startsWith("https:")) return true;
  const forwarded = request.headers.get("x-forwarded-proto");
  return forwarded !== null && clientAddress.isTrusted(peer) && forwarded.split(",")[0]?.trim() === "https";
}
