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
  { dialect, tables: { pools, poolBots } }: Database,
  tx: Tx,
  known: { readonly poolId: number | null; readonly botId: number | null },
): Promise<PoolRow | null> {
  if (known.poolId !== null) {
    const [pool] = await dialect.kept(tx.select().from(pools).where(eq(pools.id, known.poolId)));
    if (pool) return pool;
  }
  if (known.botId === null) return null;
  const ofBot = tx
    .select({ pool: pools })
    .from(poolBots)
    .innerJoin(pools, eq(pools.id, poolBots.poolId))
    .where(and(eq(poolBots.botId, known.botId), eq(pools.enabled, true)))
    .orderBy(
      sql`case when ${pools.metaTrackingEnabled} and ${pools.metaPixelId} is not null then 0 else 1 end`,
      sql`case when ${poolBots.enabled} then 0 else 1 end`,
      pools.id,
    )
    .limit(1);
  // Not its memberships: whoever removes the pool takes them after it, and the two would wait for each other.
  const [row] = await dialect.kept(ofBot, pools);
  return row?.pool ?? null;
}

/** The pixel's route for a pool's events; null where the pool reports nothing. */
export function reportingPixel(pool: PoolRow | null): string | null {
  return pool?.metaTrackingEnabled ? pool.metaPixelId : null;
}
