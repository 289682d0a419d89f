import { cookieScope } from "./cookie-scope.ts";

/** Meta's cookies live 90 days. */
const MAX_AGE_SECONDS = 90 * 24 * 3_600;

/** First-party `_fbp` and `_fbc`, readable by the page's scripts as Meta's own are. */
export function metaCookieHeaders(
  cookies: { readonly fbp?: string; readonly fbc?: string },
  arrival: { readonly host: string; readonly isSecure: boolean },
): string[] {
  const { domain } = cookieScope(arrival.host);
  const attributes = `; Max-Age=${MAX_AGE_SECONDS}; Path=/; SameSite=Lax${domain ? `; Domain=${domain}` : ""}${arrival.isSecure ? "; Secure" : ""}`;
  const headers: string[] = [];
  if (cookies.fbp !== undefined) headers.push(`_fbp=${cookies.fbp}${attributes}`);
  if (cookies.fbc !== undefined) headers.push(`_fbc=${cookies.fbc}${attributes}`);
  return headers;
}
