import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { pageViewEvent } from "../meta/page-view.ts";
import { mergeCookies } from "../tracking/meta-cookies.ts";
import { type Session, sessionFacts } from "../tracking/session.ts";
import type { BrowserReport } from "./report.ts";

/**
 * Merges browsers' reports into their sessions, writes the still-pending PageViews anew with what was learnt,
 * and releases them for sending. A report for a token that nobody knows changes nothing.
 * Resolves to the sessions as they are afterwards.
 */
export async function recordCookies(
  db: Database,
  tx: Tx,
  reports: readonly BrowserReport[],
): Promise<Session[]> {
  const { sessions, pools } = db.tables;
  const tokens = [...new Set(reports.map(({ trackingToken }) => trackingToken))];
  const known = await tx
    .select({ session: sessions, pool: { name: pools.name, slug: pools.slug } })
    .from(sessions)
    .innerJoin(pools, eq(pools.id, sessions.poolId))
    .where(inArray(sessions.trackingToken, tokens));
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
  // Asked for together: on Postgres the statements travel down the connection in one go.
  await Promise.all(changed.map(({ session, pool }) => updateOne(db, tx, session, pool)));
  if (changed.length > 0) await tx.notify("outbox");
  return changed.map(({ session }) => session);
}

async function updateOne(
  db: Database,
  tx: Tx,
  session: Session,
  pool: { name: string; slug: string } | undefined,
): Promise<void> {
  // A pool is never deleted while sessions name it; without one there is no PageView to write anew.
  if (!pool) return;
  const { sessions, outbox } = db.tables;
  const { fbc, fbcOrigin, fbp, fbi } = session;
  await Promise.all([
    tx
      .update(sessions)
      .set({
        fbc,
        fbcOrigin,
        fbp,
        fbi,
        cookiesAt: sql`${db.dialect.now}`,
        updatedAt: sql`${db.dialect.now}`,
      })
      .where(eq(sessions.id, session.id)),
    tx
      .update(outbox)
      .set({ payload: pageViewEvent(sessionFacts(session), pool), availableAt: sql`${db.dialect.now}` })
      .where(
        and(
          eq(outbox.destination, "meta"),
          eq(outbox.eventId, session.rootEventId),
          eq(outbox.status, "pending"),
          // A PageView that already failed waits for its back-off, not for the browser.
          eq(outbox.attempts, 0),
        ),
      ),
  ]);
}
