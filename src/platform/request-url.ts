/**
 * A request's address. Without a usable `Host` (HTTP/1.0, rubbish) Bun says its path alone, or what `new URL` refuses:
 * it then stands at a host that nobody has.
 */
export function urlOf({ url }: Pick<Request, "url">): URL {
  return URL.parse(url) ?? new URL(`http://nobody.invalid${url.replace(/^https?:\/\/[^/]*/, "")}`);
}
