import { withLimitedDataUse } from "../meta/event.ts";
import { pageViewEvent } from "../meta/page-view.ts";
import type { OutboxEntry } from "../outbox/enqueue.ts";
import { type NewSession, sessionFacts } from "../tracking/session.ts";
import type { VisitRecord } from "./visit-record.ts";

/** The PageView of a visit, whose session row is `session`; null where nothing is to be reported. */
export function pageViewOf(visit: VisitRecord, session: NewSession): OutboxEntry | null {
  if (visit.pageView === null) return null;
  const { route, poolName, poolSlug, holdMs } = visit.pageView;
  const event = pageViewEvent(sessionFacts(session), { name: poolName, slug: poolSlug });
  return {
    destination: "meta",
    route,
    eventName: "PageView",
    eventId: session.rootEventId,
    payload: visit.consent === "denied" ? withLimitedDataUse(event) : event,
    poolId: session.poolId,
    trackingToken: session.trackingToken,
    holdMs,
  };
}
