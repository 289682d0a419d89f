import type { Pool, PoolBot } from "../pools/pool.ts";
import { canonicalFbc, newFbp, validMetaCookie } from "../tracking/meta-cookies.ts";
import { type NewSession, rootEventId } from "../tracking/session.ts";

/** Longest values kept, in characters. A click id is kept whole or not at all: Meta refuses a cut one. */
const MAX_CLICK_ID = 2_000;
const MAX_PARAM = 1_000;
const MAX_URL = 8_000;
const MAX_USER_AGENT = 1_000;
const MAX_FBI = 100;

/** What a request says about its visitor. */
export interface VisitRequest {
  readonly url: string;
  readonly query: URLSearchParams;
  readonly cookies: string | null;
  readonly userAgent: string | null;
  readonly referrer: string | null;
  readonly clientIp: string | null;
}

/** One accepted visit, ready to be recorded. */
export interface Visit {
  readonly session: NewSession;
  readonly poolBotId: number;
  /** First-party cookies that the browser does not have yet. */
  readonly newCookies: { readonly fbp?: string; readonly fbc?: string };
}

/** Everything that a visit is remembered by, out of its request. Pure: the token and the time come in. */
export function captureVisit(
  request: VisitRequest,
  pool: Pool,
  bot: PoolBot,
  trackingToken: string,
  now: Date,
): Visit {
  const { query } = request;
  const nowMs = now.getTime();
  const param = (name: string) => storable(query.get(name), MAX_PARAM);
  const fbclid = clickId(query.get("fbclid"));
  const cookieFbp = validMetaCookie(cookieValue(request.cookies, "_fbp"));
  const cookieFbc = validMetaCookie(cookieValue(request.cookies, "_fbc"));
  const canonical = canonicalFbc(cookieFbc, fbclid, nowMs);
  const fbp = cookieFbp ?? newFbp(nowMs);
  const consent = query.get("consent") === "denied" ? "denied" : null;
  const reportsPageView = pool.metaPixelId !== null && consent !== "denied";

  return {
    session: {
      trackingToken,
      rootEventId: rootEventId(trackingToken),
      poolId: pool.id,
      botId: bot.botId,
      pageviewSent: reportsPageView,
      pageviewSentAt: reportsPageView ? now : null,
      pageviewTs: now,
      clickTs: fbclid === null ? null : now,
      fbclid,
      ...canonical,
      fbp,
      fbi: storable(cookieValue(request.cookies, "_fbi"), MAX_FBI),
      cookiesAt: null,
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
      eventSourceUrl: storable(request.url, MAX_URL),
      consent,
      userExternalId: null,
      createdAt: now,
      updatedAt: now,
    },
    poolBotId: bot.poolBotId,
    newCookies: {
      ...(cookieFbp === null && { fbp }),
      ...(canonical.fbcOrigin === "generated" && canonical.fbc !== null && { fbc: canonical.fbc }),
    },
  };
}

/** The value of a cookie, as sent; the first one where a name is repeated. */
export function cookieValue(header: string | null, name: string): string | null {
  if (header === null) return null;
  for (const pair of header.split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return null;
}

function clickId(given: string | null): string | null {
  const text = storable(given, MAX_CLICK_ID + 1);
  return text !== null && text.length <= MAX_CLICK_ID ? text : null;
}

function listedParams(query: URLSearchParams, names: readonly string[]) {
  const params: Record<string, string> = {};
  for (const name of names) {
    const value = storable(query.get(name), MAX_PARAM);
    if (value !== null) params[name] = value;
  }
  return Object.keys(params).length > 0 ? params : null;
}

/** Text that both databases take: not empty, no NUL, no half of a surrogate pair, at most `max` characters. */
function storable(text: string | null, max: number): string | null {
  if (!text) return null;
  const clean = (text.includes("\0") ? text.replaceAll("\0", "") : text).slice(0, max).toWellFormed();
  return clean === "" ? null : clean;
}
