import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { withLimitedDataUse } from "../meta/event.ts";
import { pageViewEvent } from "../meta/page-view.ts";
import { mergeCookies } from "../tracking/meta-cookies.ts";
import { type Session, sessionFacts } from "../tracking/session.ts";
import type { BrowserReport } from "./report.ts";

/**
 * Merges browsers' reports into their sessions, writes the still-pending PageViews anew with what was learnt,
 * and releases them for sending. A report for a token that nobody knows changes nothing, nor does one for a visit
 * that was erased.
 * Resolves to the sessions as they are afterwards.
 */
export async function recordCookies(
  db: Database,
  tx: Tx,
  reports: readonly BrowserReport[],
): Promise<Session[]> {
  const { sessions, outbox, pools } = db.tables;
  const tokens = [...new Set(reports.map(({ trackingToken }) => trackingToken))];
  // Locked, because what is read is written back: another process may hear of the same visit, or erase it. Always
  // in the same order, so that two processes never lock crosswise; not the pools, which visits are counted on.
  const known = await db.dialect.locked(
    tx
      .select({ session: sessions, pool: { name: pools.name, slug: pools.slug } })
      .from(sessions)
      .innerJoin(pools, eq(pools.id, sessions.poolId))
      .where(and(inArray(sessions.trackingToken, tokens), sql`${sessions.consent} is distinct from 'erased'`))
      .orderBy(sessions.trackingToken),
    sessions,
  );
  const merged = new Map(known.map((row) => [row.session.trackingToken, row]));
  for (const { trackingToken, report } of reports) {
    const row = merged.get(trackingToken);
    if (row)
      merged.set(trackingToken, {
        ...row,
        session: { ...row.session, ...mergeCookies(row.session, report) },
      });
  }
  const changed = [...merged.values()];
  const now = new Date(tx.nowMs());
  await tx.updateMany(
    sessions,
    ["id"],
    changed.map(({ session: { id, fbc, fbcOrigin, fbp, fbi } }) => ({
      id,
      fbc,
      fbcOrigin,
      fbp,
      fbi,
      cookiesAt: now,
      updatedAt: now,
    })),
  );
  await tx.updateMany(
    outbox,
    ["destination", "eventId"],
    changed.map(({ session, pool }) => ({
      destination: "meta" as const,
      eventId: session.rootEventId,
      payload: pageViewPayload(session, pool),
      availableAt: now,
    })),
    // A PageView that already failed waits for its back-off, not for the browser.
    and(eq(outbox.status, "pending"), eq(outbox.attempts, 0)),
  );
  if (changed.length > 0) await tx.notify("outbox");
  return changed.map(({ session }) => session);
}

/** Of somebody who denied consent there is a PageView only where the operator reports it under Limited Data Use. */
function pageViewPayload(session: Session, pool: { readonly name: string; readonly slug: string }) {
  const event = pageViewEvent(sessionFacts(session), pool);
  return session.consent === "denied" ? withLimitedDataUse(event) : event;
}
