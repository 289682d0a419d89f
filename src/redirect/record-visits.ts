import type { ArrivalWriter } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { mayLeaveAt, type OutboxEntry, outboxRows, outboxTable } from "../outbox/enqueue.ts";
import type { NewSession } from "../tracking/session.ts";
import { pageViewOf } from "./visit-page-view.ts";
import { sessionOf, type VisitRecord } from "./visit-record.ts";

/**
 * Writes visits: session rows, PageView rows and counters. Idempotent by tracking token: a visit that is already
 * there, because its commit was not seen or because the spool is replayed, counts once.
 */
export function recordVisits(
  writer: ArrivalWriter,
  tables: Tables,
  visits: readonly VisitRecord[],
): Promise<void> {
  const nowMs = writer.nowMs();
  const sessions = visits.map(sessionOf);
  const pageViews = outboxRows(pageViewsOf(visits, sessions), nowMs);
  return writer.insertArrivals({
    table: tables.sessions,
    key: "trackingToken",
    rows: sessions,
    followers: { table: outboxTable(tables), rows: pageViews },
    counters: [
      { table: tables.poolBots, column: "totalRedirects", ids: visits.map(({ poolBotId }) => poolBotId) },
      { table: tables.pools, column: "totalRedirects", ids: visits.map(({ poolId }) => poolId) },
    ],
    wakes: pageViews.some((row) => mayLeaveAt(row, nowMs)) ? "outbox" : null,
  });
}

function pageViewsOf(visits: readonly VisitRecord[], sessions: readonly NewSession[]): OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  visits.forEach((visit, i) => {
    const session = sessions[i];
    const entry = session && pageViewOf(visit, session);
    if (entry) entries.push(entry);
  });
  return entries;
}
