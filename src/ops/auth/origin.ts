import type { Config } from "../../config.ts";
import { urlOf } from "../../platform/request-url.ts";

/**
 * Whether a form was sent by a page of ours. Every browser says where a POST comes from, by `Sec-Fetch-Site` or by
 * `Origin`; what says neither is no browser, and carries nobody's cookies.
 */
export function isFromHere(config: Pick<Config, "publicUrl">, request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = request.headers.get("origin");
  if (origin === null) return true;
  const host = URL.parse(origin)?.host;
  const ownHosts = [urlOf(request).host];
  if (config.publicUrl !== undefined) ownHosts.push(new URL(config.publicUrl).host);
  return host !== undefined && ownHosts.includes(host);
}
