import { bridgeSecurityPolicy } from "../../views/bridge.tsx";
import type { Locale } from "../db/define-schema.ts";
import { QueueFullError } from "../db/group-commit.ts";
import { gateVerdict } from "../gate/gate.ts";
import type { RefusalCounter } from "../gate/refusals.ts";
import type { DeniedPolicy } from "../meta/consent.ts";
import type { VisitTallies } from "../metrics/tallies.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { requestIdOf } from "../platform/request-id.ts";
import type { Pool, PoolBot } from "../pools/pool.ts";
import type { PoolCache } from "../pools/pool-cache.ts";
import type { TrackingStore } from "../tracking/tracking-store.ts";
import type { BridgePages } from "./bridge-pages.ts";
import { captureVisit, consentOf, type Visit } from "./capture.ts";
import type { ClientAddress } from "./client-address.ts";
import { cookieScope } from "./cookie-scope.ts";
import { pageLocale } from "./locale.ts";
import { gateRefusedPages, notFoundPage, tooManyRequestsPage, unavailablePage } from "./pages.ts";
import type { Query } from "./query.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { selectBot } from "./select-bot.ts";
import { metaCookieHeaders } from "./visit-headers.ts";
import { sessionOf } from "./visit-record.ts";
import type { VisitRecorder } from "./visit-recorder.ts";
import { isPrefetch, type PublicAddress, publicAddressOf, queryOf } from "./visit-request.ts";

export interface VisitDeps {
  readonly pools: PoolCache;
  readonly rateLimiter: RateLimiter;
  readonly refusals: RefusalCounter;
  readonly recorder: VisitRecorder;
  readonly trackingStore: TrackingStore;
  readonly bridgePages: BridgePages;
  readonly clientAddress: ClientAddress;
  readonly publicUrl: string | undefined;
  readonly pageviewHoldMs: number;
  /** What becomes of visitors who denied consent: reported nowhere, or under Limited Data Use. */
  readonly consentDenied: DeniedPolicy;
  readonly tallies: VisitTallies;
  readonly onAnswer: (status: number, durationMs: number) => void;
  readonly log: Log;
  readonly now: () => Date;
}

const HTML = "text/html; charset=utf-8";

/** `GET /go/:slug` as a function: who comes in gets the bridge page, or is sent straight on to the bot. */
export function createVisitHandler(deps: VisitDeps) {
  const { tallies } = deps;
  const refusedPage = gateRefusedPages();
  const turns = new Map<number, number>();
  const redirects = new WeakMap<Pool, Map<number, number>>();

  /** Whose turn it is, and how often each bot was chosen since the pool was read. */
  function choose(pool: Pool): PoolBot | undefined {
    const turn = turns.get(pool.id) ?? 0;
    turns.set(pool.id, turn + 1);
    const since = redirects.get(pool) ?? new Map<number, number>();
    redirects.set(pool, since);
    const bot = selectBot(pool.strategy, pool.bots, {
      random: Math.random(),
      turn,
      sinceRead: (poolBotId) => since.get(poolBotId) ?? 0,
    });
    if (bot) since.set(bot.poolBotId, (since.get(bot.poolBotId) ?? 0) + 1);
    return bot;
  }

  /** For log lines; costs nothing where nothing is logged. */
  function idOf(request: Request, peer: string | null): string {
    return requestIdOf({ request, isFromProxy: () => deps.clientAddress.isTrusted(peer) });
  }

  async function answer(request: Request, slug: string, peer: string | null): Promise<Response> {
    const { headers } = request;
    const pool = deps.pools.get(slug);
    const acceptLanguage = headers.get("accept-language");
    if (!pool) {
      const locale = pageLocale(null, acceptLanguage);
      if (!deps.pools.isLoaded()) return unavailable(locale);
      tallies.notFound++;
      return notFoundPage(locale);
    }
    const locale = pageLocale(pool.locale, acceptLanguage);

    const query = queryOf(request);
    const clientIp = deps.clientAddress.find(peer, headers.get("x-forwarded-for"));
    const looksAhead = request.method === "HEAD" || isPrefetch(headers);
    const nowMs = deps.now().getTime();
    if (!looksAhead && clientIp !== null) {
      const checked = deps.rateLimiter.check(clientIp, nowMs);
      const rate = checked instanceof Promise ? await checked : checked;
      if (rate.kind === "limited") {
        tallies.rateLimited++;
        return tooManyRequestsPage(locale, rate.retryAfterSeconds);
      }
    }

    const userAgent = headers.get("user-agent");
    const verdict = gateVerdict({ query, userAgent }, pool.gate);
    if (verdict.kind === "refused") {
      if (!looksAhead) {
        if (verdict.reason === "param") tallies.refusedParam++;
        else tallies.refusedAutomated++;
        deps.refusals.count(pool.id, verdict.reason, nowMs);
      }
      return refusedPage(pool, locale);
    }
    if (looksAhead) {
      tallies.lookedAhead++;
      return lookAhead(request.method, pool, showsPage(pool, query), locale);
    }

    const bot = choose(pool);
    if (!bot) {
      deps.log.error(
        { pool: pool.slug, request_id: idOf(request, peer) },
        "no bot can be chosen: add one, or enable one of the pool's",
      );
      return unavailable(locale);
    }
    const withPage = showsPage(pool, query);
    const address = publicAddressOf(request, deps.clientAddress.isTrusted(peer), deps.publicUrl);
    const visit = captureVisit(
      {
        url: address.url,
        subdomainIndex: cookieScope(address.host).subdomainIndex,
        query,
        cookies: headers.get("cookie"),
        userAgent,
        referrer: headers.get("referer"),
        clientIp,
      },
      pool,
      bot,
      {
        trackingToken: newId(),
        nowMs,
        holdMs: withPage ? deps.pageviewHoldMs : 0,
        consentDenied: deps.consentDenied,
      },
    );
    try {
      const recorded = await deps.recorder.record(visit.record);
      if (recorded === "committed") tallies.committed++;
      else tallies.spooled++;
      deps.trackingStore.save(sessionOf(visit.record));
    } catch (error) {
      if (error instanceof QueueFullError) return unavailable(locale);
      tallies.lost++;
      // Neither database nor disk: the visitor still reaches the bot, and the log is the last place that keeps the visit.
      const line = { error, visit: visit.record, request_id: idOf(request, peer) };
      deps.log.fatal(line, "a visit could be stored nowhere");
    }
    const page = withPage ? bridge(pool, bot, locale, visit, address) : null;
    if (page) tallies.page++;
    else tallies.redirect++;
    return page ?? sendOn(bot, visit, address);
  }

  /**
   * Without a pixel that may load there is nothing for a page to do: the visitor goes straight on, and no cookie will
   * come. UTMify knows no limited use, so whoever denied consent never meets it.
   */
  function showsPage(pool: Pool, query: Query): boolean {
    return consentOf(query) === "denied"
      ? deps.consentDenied === "ldu" && pool.metaPixelId !== null
      : pool.metaPixelId !== null || pool.utmifyPixelId !== null;
  }

  function unavailable(locale: Locale): Response {
    tallies.unavailable++;
    return unavailablePage(locale);
  }

  /** The bridge page; null where it cannot be rendered, and the visitor is sent straight on. */
  function bridge(
    pool: Pool,
    bot: PoolBot,
    locale: Locale,
    visit: Visit,
    address: PublicAddress,
  ): Response | null {
    const nonce = newId();
    try {
      const { trackingToken, consent } = visit.record;
      const fill = deps.bridgePages(pool, bot, locale, consent === "denied");
      const body = fill({ trackingToken, nonce });
      return new Response(body, { headers: withCookies(pageHeaders(pool, nonce), visit, address) });
    } catch (error) {
      deps.log.error(
        { error, pool: pool.slug },
        "the bridge page could not be rendered; sending on to the bot",
      );
      return null;
    }
  }

  return async (request: Request, slug: string, peer: string | null): Promise<Response> => {
    const startedMs = performance.now();
    let status = 500;
    try {
      const response = await answer(request, slug, peer);
      status = response.status;
      return response;
    } finally {
      // A prefetch that was declined is no failure of ours, and must not look like one in the metrics.
      const isDeclined = status === 503 && isPrefetch(request.headers);
      if (!isDeclined) deps.onAnswer(status, performance.now() - startedMs);
    }
  };
}

/**
 * What a visit would get, for who only looks: its headers, no body and no token. A prefetch is declined with 503,
 * because browsers show a stored answer to the real visitor, `no-store` or not, and the visit would never reach us.
 */
function lookAhead(method: string, pool: Pool, withPage: boolean, locale: Locale): Response {
  if (method !== "HEAD") return new Response(null, { status: 503, headers: pageHeaders(pool, newId()) });
  const [bot] = pool.bots;
  if (!bot) return unavailablePage(locale);
  if (withPage) return new Response(null, { headers: pageHeaders(pool, newId()) });
  const headers = { location: `https://t.me/${bot.username}`, "cache-control": "no-store" };
  return new Response(null, { status: 302, headers });
}

function sendOn(bot: PoolBot, visit: Visit, address: PublicAddress): Response {
  const location = `https://t.me/${bot.username}?start=${visit.record.trackingToken}`;
  const headers: [string, string][] = [
    ["location", location],
    ["cache-control", "no-store"],
  ];
  return new Response(null, { status: 302, headers: withCookies(headers, visit, address) });
}

function pageHeaders(pool: Pool, nonce: string): [string, string][] {
  return [
    ["content-type", HTML],
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
