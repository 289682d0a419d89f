import type { Locale } from "../db/vocabulary.ts";
import { QueueFullError } from "../db/waiting-list.ts";
import type { DeniedPolicy } from "../meta/consent.ts";
import type { VisitTallies } from "../metrics/tallies.ts";
import type { BriefLog } from "../platform/brief-log.ts";
import { newId } from "../platform/ids.ts";
import { requestIdOf } from "../platform/request-id.ts";
import type { Pool, PoolBot } from "../pools/pool.ts";
import type { TrackingStore } from "../tracking/tracking-store.ts";
import { createBotChoice } from "./bot-choice.ts";
import type { BridgePages } from "./bridge-pages.ts";
import { captureVisit, consentOf, type Visit } from "./capture.ts";
import type { ClientAddress } from "./client-address.ts";
import { cookieScope } from "./cookie-scope.ts";
import { unavailablePage } from "./pages.ts";
import type { Query } from "./query.ts";
import { bridgePage, sendOn } from "./visit-answers.ts";
import { sessionOf } from "./visit-record.ts";
import type { VisitRecorder } from "./visit-recorder.ts";
import { type PublicAddress, publicAddressOf } from "./visit-request.ts";

/** A request for a pool's link, as far as it had to be looked at to let it in. */
export interface Arrival {
  readonly request: Request;
  readonly pool: Pool;
  readonly locale: Locale;
  readonly query: Query;
  /** HEAD and prefetch: nobody has come yet, so nothing may be counted but a refusal. */
  readonly looksAhead: boolean;
  readonly nowMs: number;
}

export interface AcceptDeps {
  readonly recorder: Pick<VisitRecorder, "record">;
  readonly trackingStore: Pick<TrackingStore, "save">;
  readonly bridgePages: BridgePages;
  readonly clientAddress: ClientAddress;
  /** Who is at the other end of the request's connection; asked for only by who needs it. */
  readonly peerOf: (request: Request) => string | null;
  readonly publicUrl: string | undefined;
  readonly pageviewHoldMs: number;
  /** What becomes of visitors who denied consent: reported nowhere, or under Limited Data Use. */
  readonly consentDenied: DeniedPolicy;
  readonly tallies: VisitTallies;
  readonly log: BriefLog;
}

/** What becomes of who was let in: a bot is chosen, the visit recorded, and the page shown once that is durable. */
export function createAccept(deps: AcceptDeps) {
  const { tallies, log } = deps;
  const choose = createBotChoice();

  async function accept(arrival: Arrival): Promise<Response> {
    const { request, pool, locale, query } = arrival;
    const bot = choose(pool);
    if (!bot) {
      log.error(
        { pool: pool.slug, request_id: idOf(arrival) },
        "no bot can be chosen: add one, or enable one of the pool's",
      );
      return unavailable(locale);
    }
    const withPage = showsPage(pool, query, deps.consentDenied);
    const peer = deps.peerOf(request);
    const address = publicAddressOf(request, deps.clientAddress.isTrusted(peer), deps.publicUrl);
    const visit = capture(arrival, bot, peer, address);
    try {
      const recorded = await deps.recorder.record(visit.record);
      if (recorded === "committed") tallies.committed++;
      else tallies.spooled++;
      deps.trackingStore.save(() => sessionOf(visit.record), visit.record.database);
    } catch (error) {
      if (error instanceof QueueFullError) return unavailable(locale);
      tallies.lost++;
      keepInLog(arrival, visit, error);
    }
    const page = withPage ? bridge(arrival, bot, visit, address) : null;
    if (page) tallies.page++;
    else tallies.redirect++;
    return page ?? sendOn(bot, visit, address);
  }

  /** Neither database nor disk: the visitor still reaches the bot, and the log is the last place that keeps the visit. */
  function keepInLog(arrival: Arrival, visit: Visit, error: unknown): void {
    try {
      log.fatal({ error, visit: visit.record, request_id: idOf(arrival) }, "a visit could be stored nowhere");
    } catch {
      // It goes to a file on the same full disk, perhaps.
    }
  }

  function capture(
    { request, pool, query, nowMs }: Arrival,
    bot: PoolBot,
    peer: string | null,
    address: PublicAddress,
  ): Visit {
    const { headers } = request;
    return captureVisit(
      {
        url: address.url,
        subdomainIndex: cookieScope(address.host).subdomainIndex,
        query,
        cookies: headers.get("cookie"),
        userAgent: headers.get("user-agent"),
        referrer: headers.get("referer"),
        clientIp: deps.clientAddress.find(peer, headers.get("x-forwarded-for")),
      },
      pool,
      bot,
      {
        trackingToken: newId(),
        nowMs,
        holdMs: deps.pageviewHoldMs,
        consentDenied: deps.consentDenied,
      },
    );
  }

  function unavailable(locale: Locale): Response {
    tallies.unavailable++;
    return unavailablePage(locale);
  }

  /** The bridge page; null where it cannot be rendered, and the visitor is sent straight on. */
  function bridge(
    { pool, locale }: Arrival,
    bot: PoolBot,
    visit: Visit,
    address: PublicAddress,
  ): Response | null {
    const nonce = newId();
    try {
      const { trackingToken, consent } = visit.record;
      const fill = deps.bridgePages(pool, bot, locale, consent === "denied");
      return bridgePage({ html: fill({ trackingToken, nonce }), nonce }, pool, visit, address);
    } catch (error) {
      log.error({ error, pool: pool.slug }, "the bridge page could not be rendered; sending on to the bot");
      return null;
    }
  }

  /** For log lines; costs nothing where nothing is logged. */
  function idOf({ request }: Arrival): string {
    return requestIdOf({ request, isFromProxy: () => deps.clientAddress.isTrusted(deps.peerOf(request)) });
  }

  return accept;
}

/**
 * Without a pixel that may load there is no PageView, and nothing for a page to do: the visitor goes straight on. UTMify
 * knows no limited use, so whoever denied consent never meets it.
 */
export function showsPage(
  pool: Pick<Pool, "metaPixelId" | "utmifyPixelId">,
  query: Query,
  consentDenied: DeniedPolicy,
): boolean {
  return consentOf(query) === "denied"
    ? consentDenied === "ldu" && pool.metaPixelId !== null
    : pool.metaPixelId !== null || pool.utmifyPixelId !== null;
}
