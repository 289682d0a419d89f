import { sql } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { enqueue } from "../outbox/enqueue.ts";
import { pageViewOf, sessionOf, type VisitRecord } from "./visit-record.ts";

/**
 * Writes visits: session rows, PageView rows and counters. Idempotent by tracking token: a visit that is already
 * there, because its commit was not seen or because the spool is replayed, counts once.
 */
export async function recordVisits(tx: Tx, tables: Tables, visits: readonly VisitRecord[]): Promise<void> {
  const rows = visits.map(sessionOf);
  const inserted = await tx.insertMany(tables.sessions, "trackingToken", rows);
  const fresh = visits.filter((_, i) => inserted[i]);
  const pageViews = visits.map((visit, i) => {
    const row = rows[i];
    return row && inserted[i] ? pageViewOf(visit, row) : null;
  });
  await enqueue(
    tx,
    tables,
    pageViews.filter((entry) => entry !== null),
  );
  // Last, so that the rows which every visit of a pool touches are locked as shortly as possible.
  await addRedirects(tx, tables, fresh);
}

async function addRedirects(tx: Tx, tables: Tables, visits: readonly VisitRecord[]): Promise<void> {
  const { pools, poolBots } = tables;
  const byPool = countBy(visits, ({ poolId }) => poolId);
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
