import { parseQuery, type Query } from "./query.ts";

/** The address that a visitor used, as far as it can be trusted. */
export interface PublicAddress {
  /** As they wrote it: scheme, host, path and query; null where nobody said which host, or what they said is none. */
  readonly url: string | null;
  /** Empty where nobody said. */
  readonly host: string;
  readonly isSecure: boolean;
}

/** The parameters of a request's query. */
export function queryOf({ url }: Request): Query {
  const question = url.indexOf("?");
  return parseQuery(question < 0 ? "" : url.slice(question + 1));
}

/**
 * Which address the visitor used. `X-Forwarded-*` counts only from a trusted proxy; `configuredUrl` (`PUBLIC_URL`),
 * where set, names scheme and host for good.
 */
export function publicAddressOf(
  { headers, url }: Pick<Request, "headers" | "url">,
  isFromProxy: boolean,
  configuredUrl: string | undefined,
): PublicAddress {
  // Without a usable Host header (HTTP/1.0, rubbish) the request's URL is its path alone.
  const schemeEnd = url.startsWith("/") ? -1 : url.indexOf("://");
  const pathStart = schemeEnd < 0 ? 0 : url.indexOf("/", schemeEnd + 3);
  const hash = url.indexOf("#", pathStart);
  const path = hash < 0 ? url.slice(pathStart) : url.slice(pathStart, hash);
  const origin = configuredUrl ?? (isFromProxy ? originOf(headers) : null) ?? url.slice(0, pathStart);
  if (!isUsable(origin)) return { url: null, host: "", isSecure: false };
  return {
    url: origin + path,
    host: origin.slice(origin.indexOf("://") + 3).replace(/:\d+$/, ""),
    isSecure: origin.startsWith("https:"),
  };
}

/** Nearly every visitor comes to the host of the one before, and parsing is dear for what every visit asks. */
let lastUsable: string | undefined;

/** Whether Meta would take it for an address: `Host` may say `[::1` or `1.2.3.4.5`. */
function isUsable(origin: string): boolean {
  if (origin === lastUsable) return true;
  if (!URL.canParse(origin)) return false;
  lastUsable = origin;
  return true;
}

/** The origin that a trusted proxy tells; of several proxies' values the first, which is the visitor's side. */
function originOf(headers: Headers): string | null {
  const host = firstOf(headers.get("x-forwarded-host")) ?? headers.get("host");
  const scheme = firstOf(headers.get("x-forwarded-proto"))?.toLowerCase();
  const isUsable = host !== null && HOST.test(host) && (scheme === "https" || scheme === "http");
  return isUsable ? `${scheme}://${host}` : null;
}

function firstOf(list: string | null): string | null {
  return list?.split(",", 1)[0]?.trim() || null;
}

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Whether the browser only looks ahead: nobody has come yet, so nothing may be counted but a refusal. Facebook's app says
 * `X-Purpose: preview` when it fetches an ad's page before anybody taps, and would show what it got to whoever does.
 */
export function isPrefetch(headers: Headers): boolean {
  const purpose =
    headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-purpose") ?? headers.get("x-moz");
  return purpose !== null && /\b(prefetch|prerender|preview)\b/i.test(purpose);
}
