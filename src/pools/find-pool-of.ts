import { and, eq, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { PoolRow } from "./pool-view.ts";

/**
 * The pool that a sale or a person belongs to: the one that is named, else the bot's: one that reports before one that
 * does not (no pixel, or tracking is off), one that sends visitors to the bot before one that has switched it off, the
 * first of several. Null where there is none. Until the transaction ends nobody removes it, and the token with which its
 * events go.
 */
export async function findPoolOf(
  tx: Tx,
  db: Database,
  known: { readonly poolId: number | null; readonly botId: number | null },
): Promise<PoolRow | null> {
  const { dialect, tables } = db;
  const { pools, poolBots } = tables;
  if (known.poolId !== null) {
    const isNamed = eq(pools.id, known.poolId);
    await tx
      .select({ lock: dialect.poolLock("shared", pools.id) })
      .from(pools)
      .where(isNamed);
    // By a statement of its own: what the lock waited for is seen only by the next one.
    const [pool] = await tx.select().from(pools).where(isNamed);
    if (pool) return pool;
  }
  if (known.botId === null) return null;
  const [ofBot] = await tx
    .select({ poolId: pools.id })
    .from(poolBots)
    .innerJoin(pools, eq(pools.id, poolBots.poolId))
    .where(and(eq(poolBots.botId, known.botId), eq(pools.enabled, true)))
    .orderBy(
      sql`case when ${pools.metaTrackingEnabled} and ${pools.metaPixelId} is not null then 0 else 1 end`,
      sql`case when ${poolBots.enabled} then 0 else 1 end`,
      pools.id,
    )
    .limit(1);
  return ofBot ? findPoolOf(tx, db, { ...known, ...ofBot }) : null;
}

/** The pixel that the pool reports to; null where it reports nothing. */
export function reportingPixel(pool: PoolRow | null): string | null {
  return pool?.metaTrackingEnabled ? pool.metaPixelId : null;
}
