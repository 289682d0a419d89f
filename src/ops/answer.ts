import { newId } from "../platform/ids.ts";

/** Where an address without a host of its own is taken to be. */
const NOWHERE = "http://console.invalid";

/** Where to send a browser that says itself where it came from: to a page of the console, and never elsewhere. */
export function insideOps(path: string | null | undefined): string {
  const url = path ? URL.parse(path, NOWHERE) : null;
  return url?.origin === NOWHERE && /^\/ops(\/|$)/.test(url.pathname) ? url.pathname + url.search : "/ops";
}

/**
 * A page of the console: never stored, never framed, and its scripts and styles are ours alone, by nonce. `render`
 * gets the nonce.
 */
export function htmlAnswer(
  render: (nonce: string) => string,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response {
  const nonce = newId();
  return new Response(render(nonce), { status, headers: { ...pageHeaders(nonce), ...headers } });
}

/** A piece of a page, for htmx. */
export function fragmentAnswer(html: string): Response {
  return new Response(html, { headers: pageHeaders(newId()) });
}

function pageHeaders(nonce: string): Record<string, string> {
  return {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    // Not "no-referrer": browsers would then send forms with `Origin: null`, which we refuse.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
  };
}

/** After a change: the browser gets the page by GET, so that reloading it changes nothing again. */
export function seeOther(location: string, setCookies: readonly string[] = []): Response {
  const headers = new Headers({ location, "cache-control": "no-store" });
  for (const cookie of setCookies) headers.append("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}
