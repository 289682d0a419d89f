import type { FbcOrigin } from "../db/vocabulary.ts";
import { pageViewId } from "../meta/event-ids.ts";
import type { NewSession } from "../tracking/session.ts";

/**
 * One accepted visit as plain JSON data, with nothing in it twice: so it crosses cheaply to the thread that writes
 * it, and survives in the spool. Times are Unix milliseconds.
 */
export interface VisitRecord {
  readonly trackingToken: string;
  readonly atMs: number;
  /** The database whose pool, bot and pool bot these are: a spool may lie beside another one. */
  readonly database: string | null;
  readonly poolId: number;
  readonly botId: number;
  readonly poolBotId: number;
  readonly fbclid: string | null;
  readonly fbc: string | null;
  readonly fbcOrigin: FbcOrigin | null;
  readonly fbp: string | null;
  readonly fbi: string | null;
  readonly utmSource: string | null;
  readonly utmCampaign: string | null;
  readonly utmMedium: string | null;
  readonly utmContent: string | null;
  readonly utmTerm: string | null;
  readonly grim: string | null;
  readonly params: Readonly<Record<string, string>> | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
  readonly referrer: string | null;
  readonly eventSourceUrl: string | null;
  readonly consent: "denied" | null;
  /** How the PageView goes out (of somebody who denied consent, under Limited Data Use); null where none does. */
  readonly pageView: PageViewOrder | null;
}

interface PageViewOrder {
  readonly route: string;
  /** As the pool was called when the visitor came. */
  readonly poolName: string;
  readonly poolSlug: string;
  /** Milliseconds that it waits for the browser's cookies. */
  readonly holdMs: number;
}

/** The session row that a visit becomes. */
export function sessionOf(visit: VisitRecord): NewSession {
  const at = new Date(visit.atMs);
  const isReported = visit.pageView !== null;
  return {
    trackingToken: visit.trackingToken,
    rootEventId: pageViewId(visit.trackingToken),
    poolId: visit.poolId,
    botId: visit.botId,
    pageviewSent: isReported,
    pageviewSentAt: isReported ? at : null,
    pageviewTs: at,
    clickTs: visit.fbclid === null ? null : at,
    fbclid: visit.fbclid,
    fbc: visit.fbc,
    fbcOrigin: visit.fbcOrigin,
    fbp: visit.fbp,
    fbi: visit.fbi,
    cookiesAt: null,
    utmSource: visit.utmSource,
    utmCampaign: visit.utmCampaign,
    utmMedium: visit.utmMedium,
    utmContent: visit.utmContent,
    utmTerm: visit.utmTerm,
    grim: visit.grim,
    params: visit.params,
    clientIp: visit.clientIp,
    userAgent: visit.userAgent,
    referrer: visit.referrer,
    eventSourceUrl: visit.eventSourceUrl,
    consent: visit.consent,
    userExternalId: null,
    createdAt: at,
    updatedAt: at,
  };
}
