import { inArray, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import { REFUSAL_REASONS, type RefusalReason } from "./gate.ts";

const HOUR_MS = 3_600_000;
const FLUSH_MS = 1_000;

export interface RefusalCounter {
  count(poolId: number, reason: RefusalReason, atMs: number): void;
  /** Adds what was counted to the database; keeps it for the next time where that fails. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A pool's refusals in one hour. */
type Counts = Record<RefusalReason, number>;

/** Counts refusals in memory and adds them, by pool, reason and hour, once a second: a refusal costs no write. */
export function createRefusalCounter({ db, log }: { db: Database; log: Log }): RefusalCounter {
  const { gateRefusals, pools } = db.tables;
  const outage = createOutage(log, {
    failed: "gate refusals could not be stored yet",
    worked: "gate refusals are stored again",
  });
  let byHour = new Map<number, Map<number, Counts>>();

  function add(poolId: number, reason: RefusalReason, hourMs: number, total: number): void {
    const byPool = byHour.get(hourMs) ?? new Map<number, Counts>();
    byHour.set(hourMs, byPool);
    const counts = byPool.get(poolId) ?? { param: 0, automated: 0 };
    byPool.set(poolId, counts);
    counts[reason] += total;
  }

  async function flush(): Promise<void> {
    const rows = [...byHour]
      .flatMap(([hourMs, byPool]) =>
        [...byPool].flatMap(([poolId, counts]) =>
          REFUSAL_REASONS.map((reason) => ({
            poolId,
            reason,
            hour: new Date(hourMs),
            total: counts[reason],
          })),
        ),
      )
      .filter(({ total }) => total > 0);
    if (rows.length === 0) return;
    byHour = new Map();
    try {
      await db.transaction(async (tx) => {
        const ids = [...new Set(rows.map(({ poolId }) => poolId))];
        const known = await tx.select({ id: pools.id }).from(pools).where(inArray(pools.id, ids));
        // A pool may have been deleted since: its refusals are nobody's, and must not keep the others from being stored.
        const present = rows.filter(({ poolId }) => known.some(({ id }) => id === poolId));
        if (present.length === 0) return;
        await tx
          .insert(gateRefusals)
          .values(present)
          .onConflictDoUpdate({
            target: [gateRefusals.poolId, gateRefusals.reason, gateRefusals.hour],
            set: { total: sql`gate_refusals.total + excluded.total` },
          });
      });
      outage.worked();
    } catch (error) {
      for (const row of rows) add(row.poolId, row.reason, row.hour.getTime(), row.total);
      outage.failed({ error, todo: db.advice(error) });
    }
  }

  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    count: (poolId, reason, atMs) => add(poolId, reason, atMs - (atMs % HOUR_MS), 1),
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
