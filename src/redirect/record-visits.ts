import { sql } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { enqueue, type OutboxEntry } from "../outbox/enqueue.ts";
import type { NewSession } from "../tracking/session.ts";

/** What a visit leaves in the database. Plain data: it also survives, as JSON, in the spool. */
export interface VisitRecord {
  readonly session: NewSession;
  readonly poolBotId: number;
  /** The PageView; null where nothing is to be reported. */
  readonly pageView: OutboxEntry | null;
}

/**
 * Writes visits: session rows, PageView rows and counters. Idempotent by tracking token: a visit that is already
 * there, because its commit was not seen or because the spool is replayed, counts once.
 */
export async function recordVisits(tx: Tx, tables: Tables, visits: readonly VisitRecord[]): Promise<void> {
  const inserted = await tx.insertMany(
    tables.sessions,
    "trackingToken",
    visits.map(({ session }) => session),
  );
  const fresh = visits.filter((_, i) => inserted[i]);
  const pageViews = fresh.flatMap(({ pageView }) => (pageView ? [pageView] : []));
  await enqueue(tx, tables, pageViews);
  // Last, so that the rows which every visit of a pool touches are locked as shortly as possible.
  await addRedirects(tx, tables, fresh);
}

async function addRedirects(tx: Tx, tables: Tables, visits: readonly VisitRecord[]): Promise<void> {
  const { pools, poolBots } = tables;
  const byPool = countBy(visits, ({ session }) => session.poolId);
  const byPoolBot = countBy(visits, ({ poolBotId }) => poolBotId);
  for (const [id, n] of byPoolBot) {
    await tx
      .update(poolBots)
      .set({ totalRedirects: sql`coalesce(${poolBots.totalRedirects}, 0) + ${n}` })
      .where(sql`${poolBots.id} = ${id}`);
  }
  for (const [id, n] of byPool) {
    await tx
      .update(pools)
      .set({ totalRedirects: sql`coalesce(${pools.totalRedirects}, 0) + ${n}` })
      .where(sql`${pools.id} = ${id}`);
  }
}

/** Counts in ascending order of the key: two processes that lock the same rows never lock them crosswise. */
function countBy<T>(items: readonly T[], keyOf: (item: T) => number): [number, number][] {
  const counts = new Map<number, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}
