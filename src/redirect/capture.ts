import type { DeniedPolicy } from "../meta/consent.ts";
import { formatRoute } from "../outbox/routes.ts";
import { storableText } from "../platform/storable-text.ts";
import type { Pool, PoolBot } from "../pools/pool.ts";
import { canonicalFbc, newFbp, tidyFbi, validFbc, validFbp } from "../tracking/meta-cookies.ts";
import { refusingToken } from "../tracking/tracking-token.ts";
import { cookieValues } from "./cookie-header.ts";
import type { Query } from "./query.ts";
import type { VisitRecord } from "./visit-record.ts";

/** Longest values kept, in characters. A click id is kept whole or not at all: Meta refuses a cut one. */
const MAX_CLICK_ID = 2_000;
const MAX_PARAM = 1_000;
const MAX_URL = 8_000;
const MAX_USER_AGENT = 1_000;

/** What a request says about its visitor. */
interface VisitRequest {
  /** Null where nobody said on which host it arrived. */
  readonly url: string | null;
  /** Of the domain that new cookies are set on (see `cookie-scope.ts`). */
  readonly subdomainIndex: number;
  readonly query: Query;
  readonly cookies: string | null;
  readonly userAgent: string | null;
  readonly referrer: string | null;
  readonly clientIp: string | null;
}

/** One accepted visit, ready to be recorded. */
export interface Visit {
  readonly record: VisitRecord;
  /** First-party cookies that the browser does not have yet. */
  readonly newCookies: { readonly fbp?: string; readonly fbc?: string };
}

/**
 * Everything that a visit is remembered by, out of its request. Pure: the token and the time come in, and the token
 * becomes a refusing one where consent was denied.
 *
 * @param holdMs how long the PageView waits for the browser's cookies
 * @param consentDenied what becomes of the PageView of somebody who denied consent
 */
export function captureVisit(
  request: VisitRequest,
  pool: Pool,
  bot: PoolBot,
  {
    trackingToken,
    nowMs,
    holdMs,
    consentDenied,
  }: { trackingToken: string; nowMs: number; holdMs: number; consentDenied: DeniedPolicy },
): Visit {
  const { query, cookies, subdomainIndex } = request;
  const param = (name: string) => storable(query.get(name), MAX_PARAM);
  const givenClick = query.get("fbclid") || null;
  const fbclid = clickId(givenClick);
  const [cookieFbp = null] = cookieValues(cookies, "_fbp", validFbp);
  const [cookieFbi = null] = cookieValues(cookies, "_fbi", tidyFbi);
  // A click whose id cannot be used is a new click all the same: an older one's cookie does not speak for it.
  const mayBeOlder = givenClick === null || fbclid !== null;
  const cookieFbcs = mayBeOlder ? cookieValues(cookies, "_fbc", validFbc) : [];
  const { fbc, fbcOrigin } = canonicalFbc(cookieFbcs, fbclid, { subdomainIndex, nowMs });
  const consent = consentOf(query);
  // Whom nothing may be said about is given no cookie to be known by, either.
  const isReported = consent === null || consentDenied === "ldu";
  const fbp = cookieFbp ?? (isReported ? newFbp({ subdomainIndex, nowMs }) : null);

  return {
    record: {
      trackingToken: consent === "denied" ? refusingToken(trackingToken) : trackingToken,
      atMs: nowMs,
      database: pool.database,
      poolId: pool.id,
      botId: bot.botId,
      poolBotId: bot.poolBotId,
      fbclid,
      fbc,
      fbcOrigin,
      fbp,
      fbi: cookieFbi,
      utmSource: param("utm_source"),
      utmCampaign: param("utm_campaign"),
      utmMedium: param("utm_medium"),
      utmContent: param("utm_content"),
      utmTerm: param("utm_term"),
      grim: param("grim"),
      params: listedParams(query, pool.captureParams),
      clientIp: request.clientIp,
      userAgent: storable(request.userAgent, MAX_USER_AGENT),
      referrer: storable(request.referrer, MAX_URL),
      // Meta takes no website event without an address; purchases name the bot's, too, where they know no other.
      eventSourceUrl: storable(request.url, MAX_URL) ?? `https://t.me/${bot.username}`,
      consent,
      pageView:
        isReported && pool.metaPixelId !== null
          ? {
              route: formatRoute(pool.metaPixelId, pool.metaTestEventCode),
              poolName: pool.name,
              poolSlug: pool.slug,
              holdMs,
            }
          : null,
    },
    newCookies: {
      ...(cookieFbp === null && fbp !== null && { fbp }),
      ...(fbcOrigin === "generated" && isReported && { fbc }),
    },
  };
}

/** `consent=denied` in the link says that the visitor refused to be reported; everything else says nothing. */
export function consentOf(query: Query): "denied" | null {
  return query.get("consent") === "denied" ? "denied" : null;
}

/** A click id as it came; null for one that could only be stored changed, for Meta refuses a changed one. */
function clickId(given: string | null): string | null {
  return storable(given, MAX_CLICK_ID) === given ? given : null;
}

function listedParams(query: Query, names: readonly string[]) {
  if (names.length === 0) return null;
  const params: Record<string, string> = {};
  for (const name of names) {
    const value = storable(query.get(name), MAX_PARAM);
    if (value !== null) params[name] = value;
  }
  return Object.keys(params).length > 0 ? params : null;
}

/** What one of the databases does not take: NUL and, though mostly in pairs, surrogates. */
const UNSTORABLE = /[\0\ud800-\udfff]/;

/** Text that both databases take: not empty, no NUL, no half of a surrogate pair, at most `max` characters. */
function storable(text: string | null | undefined, max: number): string | null {
  if (!text) return null;
  if (text.length <= max && !UNSTORABLE.test(text)) return text;
  const clean = storableText(text).slice(0, max).toWellFormed();
  return clean === "" ? null : clean;
}
