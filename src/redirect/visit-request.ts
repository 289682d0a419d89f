import type { ClientAddress } from "./client-address.ts";
import { parseQuery, type Query } from "./query.ts";

/** How a request reached us, as far as it can be trusted. */
export interface Arrival {
  /** The address that visitors use, as they wrote it: scheme, host, path and query. */
  readonly publicUrl: string;
  readonly host: string;
  readonly isSecure: boolean;
  readonly clientIp: string | null;
  readonly query: Query;
}

/**
 * Reads a request's arrival. `X-Forwarded-*` counts only from a trusted proxy; `configuredUrl` (`PUBLIC_URL`),
 * where set, names scheme and host for good.
 */
export function arrivalOf(
  request: Request,
  peer: string | null,
  settings: { clientAddress: ClientAddress; configuredUrl: string | undefined },
): Arrival {
  const { headers, url } = request;
  const { clientAddress, configuredUrl } = settings;
  const pathStart = url.indexOf("/", url.indexOf("://") + 3);
  const path = url.slice(pathStart);
  const origin = configuredUrl ?? originOf(headers, clientAddress.isTrusted(peer)) ?? url.slice(0, pathStart);
  const question = path.indexOf("?");
  return {
    publicUrl: origin + path,
    host: origin.slice(origin.indexOf("://") + 3).replace(/:\d+$/, ""),
    isSecure: origin.startsWith("https:"),
    clientIp: clientAddress.find(peer, headers.get("x-forwarded-for")),
    query: parseQuery(question < 0 ? "" : path.slice(question + 1)),
  };
}

function originOf(headers: Headers, trusted: boolean): string | null {
  if (!trusted) return null;
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  const scheme = headers.get("x-forwarded-proto");
  return host && (scheme === "https" || scheme === "http") ? `${scheme}://${host}` : null;
}

/** Whether the browser only looks ahead: nobody has come yet, so nothing may be counted. */
export function isPrefetch(headers: Headers): boolean {
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz");
  return purpose !== null && /\b(prefetch|prerender)\b/i.test(purpose);
}
