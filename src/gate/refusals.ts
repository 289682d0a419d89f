import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import type { RefusalReason } from "./gate.ts";

const HOUR_MS = 3_600_000;
const FLUSH_MS = 1_000;

export interface RefusalCounter {
  count(poolId: number, reason: RefusalReason): void;
  /** Adds what was counted to the database; keeps it for the next time where that fails. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Counts refusals in memory and adds them, by pool, reason and hour, once a second: a refusal costs no write. */
export function createRefusalCounter(deps: { db: Database; log: Log; now?: () => Date }): RefusalCounter {
  const { db, log, now = () => new Date() } = deps;
  const { gateRefusals } = db.tables;
  let counted = new Map<string, { poolId: number; reason: RefusalReason; hour: Date; total: number }>();

  function add(poolId: number, reason: RefusalReason, hourMs: number, total: number): void {
    const key = `${poolId} ${reason} ${hourMs}`;
    const entry = counted.get(key);
    if (entry) entry.total += total;
    else counted.set(key, { poolId, reason, hour: new Date(hourMs), total });
  }

  async function flush(): Promise<void> {
    if (counted.size === 0) return;
    const rows = [...counted.values()];
    counted = new Map();
    try {
      await db.transaction(async (tx) => {
        await tx
          .insert(gateRefusals)
          .values(rows)
          .onConflictDoUpdate({
            target: [gateRefusals.poolId, gateRefusals.reason, gateRefusals.hour],
            set: { total: sql`gate_refusals.total + excluded.total` },
          });
      });
    } catch (error) {
      for (const row of rows) add(row.poolId, row.reason, row.hour.getTime(), row.total);
      log.warn({ error, todo: db.advice(error) }, "gate refusals could not be stored yet");
    }
  }

  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    count: (poolId, reason) => add(poolId, reason, Math.floor(now().getTime() / HOUR_MS) * HOUR_MS, 1),
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
