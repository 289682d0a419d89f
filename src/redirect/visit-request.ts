import { parseQuery, type Query } from "./query.ts";

/** The address that a visitor used, as far as it can be trusted. */
export interface PublicAddress {
  /** As they wrote it: scheme, host, path and query. */
  readonly url: string;
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
  { headers, url }: Request,
  isFromProxy: boolean,
  configuredUrl: string | undefined,
): PublicAddress {
  const pathStart = url.indexOf("/", url.indexOf("://") + 3);
  const origin = configuredUrl ?? (isFromProxy ? originOf(headers) : null) ?? url.slice(0, pathStart);
  return {
    url: origin + url.slice(pathStart),
    host: origin.slice(origin.indexOf("://") + 3).replace(/:\d+$/, ""),
    isSecure: origin.startsWith("https:"),
  };
}

function originOf(headers: Headers): string | null {
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  const scheme = headers.get("x-forwarded-proto");
  return host && (scheme === "https" || scheme === "http") ? `${scheme}://${host}` : null;
}

/** Whether the browser only looks ahead: nobody has come yet, so nothing may be counted. */
export function isPrefetch(headers: Headers): boolean {
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz");
  return purpose !== null && /\b(prefetch|prerender)\b/i.test(purpose);
}
