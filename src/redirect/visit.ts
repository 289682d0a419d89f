import type { Locale } from "../db/vocabulary.ts";
import { gateVerdict } from "../gate/gate.ts";
import type { RefusalCounter } from "../gate/refusals.ts";
import { enterRequest } from "../platform/request-id.ts";
import type { PoolCache } from "../pools/pool-cache.ts";
import { type AcceptDeps, type Arrival, createAccept, showsPage } from "./accept-visit.ts";
import { pageLocale } from "./locale.ts";
import { gateRefusedPages, notFoundPage, tooManyRequestsPage, unavailablePage } from "./pages.ts";
import type { RateLimiter, RateVerdict } from "./rate-limit.ts";
import { lookAhead } from "./visit-answers.ts";
import { isPrefetch, queryOf } from "./visit-request.ts";

interface VisitDeps extends AcceptDeps {
  readonly pools: Pick<PoolCache, "get" | "isLoaded">;
  /** Null where there is no limit. */
  readonly rateLimiter: RateLimiter | null;
  readonly refusals: Pick<RefusalCounter, "count">;
  readonly onAnswer: (status: number, durationMs: number) => void;
  /** The answer to a request that failed; it is logged, with the request's id. */
  readonly failedAnswer: (request: Request, error: unknown) => Response;
  readonly now: () => Date;
}

/** Answers a request for a pool's link, whose slug is given as it came. */
export type VisitHandler = (request: Request, slug: string) => Response | Promise<Response>;

/**
 * `GET /go/:slug` as a function: who comes in gets the bridge page, or is sent straight on to the bot. What need not
 * wait is answered at once, without a promise: refusing must stay cheap under a flood.
 */
export function createVisitHandler(deps: VisitDeps): VisitHandler {
  const { tallies, rateLimiter } = deps;
  const accept = createAccept(deps);
  const refusedPage = gateRefusedPages();

  function answer(request: Request, slug: string): Response | Promise<Response> {
    const { headers } = request;
    const pool = deps.pools.get(slug);
    if (!pool) return noPool(pageLocale(headers.get("accept-language")));
    const arrival: Arrival = {
      request,
      pool,
      locale: pool.locale ?? pageLocale(headers.get("accept-language")),
      query: queryOf(request),
      looksAhead: request.method === "HEAD" || isPrefetch(headers),
      nowMs: deps.now().getTime(),
    };
    const rate = rateLimiter && limit(rateLimiter, arrival);
    return rate instanceof Promise ? rate.then((verdict) => admit(arrival, verdict)) : admit(arrival, rate);
  }

  function noPool(locale: Locale): Response {
    if (deps.pools.isLoaded()) {
      tallies.notFound++;
      return notFoundPage(locale);
    }
    tallies.unavailable++;
    return unavailablePage(locale);
  }

  /** HEAD and prefetch count only where the gate refuses them. They keep to the limit, or its secret could be guessed. */
  function limit(limiter: RateLimiter, arrival: Arrival) {
    const { request, nowMs } = arrival;
    const clientIp = deps.clientAddress.find(deps.peerOf(request), request.headers.get("x-forwarded-for"));
    if (clientIp === null) return null;
    const isFree = arrival.looksAhead && verdictOn(arrival).kind === "admitted";
    return isFree ? limiter.peek(clientIp, nowMs) : limiter.check(clientIp, nowMs);
  }

  function verdictOn({ request, query, pool }: Arrival) {
    return gateVerdict({ query, userAgent: request.headers.get("user-agent") }, pool.gate);
  }

  function admit(arrival: Arrival, rate: RateVerdict | null): Response | Promise<Response> {
    const { request, pool, locale, query, looksAhead, nowMs } = arrival;
    if (rate?.kind === "limited") {
      tallies.rateLimited++;
      return tooManyRequestsPage(locale, rate.retryAfterSeconds);
    }
    const verdict = verdictOn(arrival);
    if (verdict.kind === "refused") {
      if (verdict.reason === "param") tallies.refusedParam++;
      else tallies.refusedAutomated++;
      deps.refusals.count(pool.id, verdict.reason, nowMs);
      return refusedPage(pool, locale);
    }
    if (looksAhead) {
      tallies.lookedAhead++;
      return lookAhead(request.method, pool, showsPage(pool, query, deps.consentDenied), locale);
    }
    return accept(arrival);
  }

  return (request, slug) => {
    const startedMs = performance.now();
    const told = (response: Response): Response => {
      // A prefetch that was declined is no failure of ours, and must not look like one in the metrics.
      const isDeclined = response.status === 503 && isPrefetch(request.headers);
      if (!isDeclined) deps.onAnswer(response.status, performance.now() - startedMs);
      return response;
    };
    const failed = (error: unknown) => {
      enterRequest({ request, isFromProxy: () => deps.clientAddress.isTrusted(deps.peerOf(request)) });
      return told(deps.failedAnswer(request, error));
    };
    try {
      const answered = answer(request, slug);
      return answered instanceof Promise ? answered.then(told, failed) : told(answered);
    } catch (error) {
      return failed(error);
    }
  };
}
