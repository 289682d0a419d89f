import { bridgeSecurityPolicy } from "../../views/bridge.tsx";
import type { Locale } from "../db/vocabulary.ts";
import { newId } from "../platform/ids.ts";
import type { Pool, PoolBot } from "../pools/pool.ts";
import type { Visit } from "./capture.ts";
import { metaCookieHeaders } from "./meta-cookie-headers.ts";
import { unavailablePage } from "./pages.ts";
import type { PublicAddress } from "./visit-request.ts";

/** The bridge page, made with that nonce, with its headers and the cookies that the browser does not have yet. */
export function bridgePage(
  { html, nonce }: { readonly html: string; readonly nonce: string },
  pool: Pool,
  visit: Visit,
  address: PublicAddress,
): Response {
  return new Response(html, { headers: withCookies(pageHeaders(pool, nonce), visit, address) });
}

/**
 * What a visit would get, for who only looks: its headers, no body and no token. A prefetch is declined with 503,
 * because browsers show a stored answer to the real visitor, `no-store` or not, and the visit would never reach us.
 */
export function lookAhead(method: string, pool: Pool, withPage: boolean, locale: Locale): Response {
  if (method !== "HEAD") return new Response(null, { status: 503, headers: pageHeaders(pool, newId()) });
  const [bot] = pool.bots;
  if (!bot) return unavailablePage(locale);
  if (withPage) return new Response(null, { headers: pageHeaders(pool, newId()) });
  const headers = { location: `https://t.me/${bot.username}`, "cache-control": "no-store" };
  return new Response(null, { status: 302, headers });
}

/** Straight on to the bot. */
export function sendOn(bot: PoolBot, visit: Visit, address: PublicAddress): Response {
  const location = `https://t.me/${bot.username}?start=${visit.record.trackingToken}`;
  const headers: [string, string][] = [
    ["location", location],
    ["cache-control", "no-store"],
  ];
  return new Response(null, { status: 302, headers: withCookies(headers, visit, address) });
}

function pageHeaders(pool: Pool, nonce: string): [string, string][] {
  return [
    ["content-type", "text/html; charset=utf-8"],
    ["cache-control", "no-store"],
    ["content-security-policy", bridgeSecurityPolicy(nonce, pool.utmifyPixelId !== null)],
    ["referrer-policy", "strict-origin-when-cross-origin"],
    ["x-content-type-options", "nosniff"],
  ];
}

function withCookies(headers: [string, string][], visit: Visit, address: PublicAddress): [string, string][] {
  for (const cookie of metaCookieHeaders(visit.newCookies, address)) headers.push(["set-cookie", cookie]);
  return headers;
}
