import { and, asc, eq, gte, inArray, lt, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { REFUSAL_REASONS, type RefusalReason } from "../db/vocabulary.ts";
import { HOUR_MS } from "../platform/durations.ts";

/** Visitors whom a pool's gate did not let in, ready for JSON. */
export interface RefusalCount {
  readonly pool_id: number;
  /** The pool's slug. */
  readonly pool: string;
  /** The link's secret parameter is missing or wrong. */
  readonly param: number;
  /** Clients that say that they are automated. */
  readonly automated: number;
}

/**
 * Refusals in the whole hours that a span touches, from `fromMs` to `toMs`, by pool, the most first; of one pool where
 * `poolId` is given. The index begins with the pool and the reason, so both are named.
 */
export async function readRefusals(
  db: Database,
  { fromMs, toMs, poolId }: { readonly fromMs: number; readonly toMs: number; readonly poolId?: number },
): Promise<RefusalCount[]> {
  const { gateRefusals: r, pools } = db.tables;
  const of = (reason: RefusalReason) =>
    sql<number>`coalesce(sum(case when ${r.reason} = ${reason} then ${r.total} end), 0)`.mapWith(Number);
  return db
    .select({ pool_id: pools.id, pool: pools.slug, param: of("param"), automated: of("automated") })
    .from(pools)
    .innerJoin(r, eq(r.poolId, pools.id))
    .where(
      and(
        poolId === undefined ? undefined : eq(pools.id, poolId),
        inArray(r.reason, REFUSAL_REASONS),
        gte(r.hour, new Date(fromMs - (fromMs % HOUR_MS))),
        lt(r.hour, new Date(toMs)),
      ),
    )
    .groupBy(pools.id, pools.slug)
    .orderBy(sql`sum(${r.total}) desc`, asc(pools.slug));
}
