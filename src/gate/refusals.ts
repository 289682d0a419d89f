import { and, inArray, like, lt, ne, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import type { Tables } from "../db/define-schema.ts";
import { REFUSAL_REASONS, type RefusalReason } from "../db/vocabulary.ts";
import { DAY_MS, HOUR_MS } from "../platform/durations.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";

const FLUSH_MS = 1_000;
/** In `settings`, by process: the last batch that was added. */
const NOTES = "gate_refusals:";
/** Of a process that is gone. */
const NOTE_KEPT_MS = DAY_MS;

export interface RefusalCounter {
  count(poolId: number, reason: RefusalReason, atMs: number): void;
  /** Adds what was counted to the database; keeps it for the next time where that fails. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** A pool's refusals in one hour. */
type Counts = Record<RefusalReason, number>;

type Row = Tables["gateRefusals"]["$inferInsert"];

/** What is added at once: whole, and once, however often it is tried. */
interface Batch {
  readonly id: string;
  readonly rows: readonly Row[];
}

/** Counts refusals in memory and adds them, by pool, reason and hour, once a second: a refusal costs no write. */
export function createRefusalCounter({ db, log }: { db: Database; log: Log }): RefusalCounter {
  const outage = createOutage(log, {
    failed: "gate refusals could not be stored yet",
    worked: "gate refusals are stored again",
  });
  const processId = newId();
  const counts = createHourlyCounts();
  /** What may be in the database, or not: its commit was asked for and nobody answered. */
  let unsure: Batch | null = null;
  let flushing: Promise<void> | undefined;

  async function flushNext(): Promise<void> {
    if (unsure === null) {
      const rows = counts.take();
      if (rows.length === 0) return;
      unsure = { id: newId(), rows };
    }
    try {
      await withDatabaseDeadline(db, ANSWER_MS, storeOnce(db, processId, unsure));
      unsure = null;
      outage.worked();
    } catch (error) {
      outage.failed({ error, todo: db.advice(error) });
    }
  }

  function flush(): Promise<void> {
    flushing ??= flushNext().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  const timer = setInterval(flush, FLUSH_MS);
  timer.unref();
  return {
    count: counts.add,
    flush,
    async close() {
      clearInterval(timer);
      // What is under way, or was left undone, and then what was counted since.
      await flush();
      if (unsure === null) await flush();
    },
  };
}

/** Refusals in this process, by hour and pool, until somebody takes them. */
function createHourlyCounts() {
  let byHour = new Map<number, Map<number, Counts>>();
  return {
    add(poolId: number, reason: RefusalReason, atMs: number): void {
      const hourMs = atMs - (atMs % HOUR_MS);
      const byPool = byHour.get(hourMs) ?? new Map<number, Counts>();
      byHour.set(hourMs, byPool);
      const counts = byPool.get(poolId) ?? { param: 0, automated: 0 };
      byPool.set(poolId, counts);
      counts[reason] += 1;
    },
    /** Takes what was counted, in rows; by pool, so that two processes that store theirs meet in one order. */
    take(): Row[] {
      const rows = [...byHour].flatMap(([hourMs, byPool]) =>
        [...byPool].flatMap(([poolId, counts]) =>
          REFUSAL_REASONS.map((reason) => ({
            poolId,
            reason,
            hour: new Date(hourMs),
            total: counts[reason],
          })),
        ),
      );
      byHour = new Map();
      return rows.filter(({ total }) => total > 0).sort((a, b) => a.poolId - b.poolId);
    },
  };
}

/** Adds a batch, unless it is the one that the process added last. */
async function storeOnce(db: Database, processId: string, { id, rows }: Batch): Promise<void> {
  const { gateRefusals, pools, settings } = db.tables;
  await db.transaction(async (tx) => {
    const note = { key: NOTES + processId, value: id, updatedAt: new Date() };
    const noted = await tx
      .insert(settings)
      .values(note)
      .onConflictDoUpdate({ target: settings.key, set: note, setWhere: ne(settings.value, id) })
      .returning({ key: settings.key });
    if (noted.length === 0) return;
    const isOld = lt(settings.updatedAt, new Date(Date.now() - NOTE_KEPT_MS));
    await tx.delete(settings).where(and(like(settings.key, `${NOTES}%`), isOld));
    const ids = [...new Set(rows.map(({ poolId }) => poolId))];
    const known = await tx.select({ id: pools.id }).from(pools).where(inArray(pools.id, ids));
    // A pool may have been deleted since: its refusals are nobody's, and must not keep the others from being stored.
    const present = rows.filter(({ poolId }) => known.some((pool) => pool.id === poolId));
    if (present.length === 0) return;
    await tx
      .insert(gateRefusals)
      .values(present)
      .onConflictDoUpdate({
        target: [gateRefusals.poolId, gateRefusals.reason, gateRefusals.hour],
        set: { total: sql`gate_refusals.total + excluded.total` },
      });
  });
}
