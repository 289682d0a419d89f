import { and, gt, lt, type SQL, sql } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import type { Database, Tx } from "../db/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { type HourlyWork, hourlyWork } from "./hourly.ts";

/** Rows looked at, and at most removed, in one transaction. */
const BATCH = 2_000;
/** Between batches, so that those who serve visitors go first. Milliseconds. */
const PAUSE_MS = 20;
const DAY_MS = 86_400_000;
/** Once an hour, at a minute at which nobody else's jobs run. */
const SCHEDULE = "0 23 * * * *";

/** Rows removed, by table. */
export interface Removed {
  readonly outbox: number;
  readonly outboxAttempts: number;
  readonly telegramUpdates: number;
  readonly sessions: number;
}

export type Retention = HourlyWork<Removed>;

/**
 * Removes what is older than `days`: events that are done with (delivered, expired, discarded), the requests made for
 * events, Telegram's update numbers and sessions. Dead events stay until an operator decides.
 */
export function createRetention(deps: { db: Database; log: Log; days: number; pauseMs?: number }): Retention {
  const { db, log, days, pauseMs = PAUSE_MS } = deps;
  const { outboxEvents, outboxProgress, outboxAttempts, telegramUpdates } = db.tables;

  async function runAll(): Promise<Removed> {
    const cutoff = new Date((await db.transaction(async (tx) => tx.nowMs())) - days * DAY_MS);
    const isDone = sql`${outboxProgress.status} in ('delivered', 'expired', 'discarded')`;
    const removeEvents = async (tx: Tx, ids: readonly number[]) => {
      await tx.delete(outboxEvents).where(isOneOf(outboxEvents.id, ids));
    };
    const removed = {
      outbox: await removeOld(
        outboxProgress,
        outboxProgress.id,
        outboxProgress.createdAt,
        cutoff,
        isDone,
        removeEvents,
      ),
      outboxAttempts: await removeOld(outboxAttempts, outboxAttempts.id, outboxAttempts.startedAt, cutoff),
      telegramUpdates: await removeOld(
        telegramUpdates,
        telegramUpdates.id,
        telegramUpdates.createdAt,
        cutoff,
      ),
      sessions: await removeSessions(cutoff),
    };
    const total = Object.values(removed).reduce((sum, n) => sum + n, 0);
    if (total > 0) log.info({ ...removed, cutoff }, "removed what was older than RETENTION_DAYS");
    return removed;
  }

  /**
   * Walks a table in the order of its row numbers, which is nearly that of time, and stops at the first stretch in
   * which nothing is old: no index on the time is needed, and what is young is never read.
   */
  async function removeOld(
    table: PgTable,
    id: PgColumn,
    at: PgColumn,
    cutoff: Date,
    isDone?: SQL,
    alongWith?: (tx: Tx, ids: readonly number[]) => Promise<void>,
  ): Promise<number> {
    let removed = 0;
    for (let last = 0; !hourly.isStopping(); ) {
      const stretch = await db
        .select({ id: sql`${id}`.mapWith(Number), isOld: sql<unknown>`${lt(at, cutoff)}` })
        .from(table)
        .where(gt(id, last))
        .orderBy(id)
        .limit(BATCH);
      const old = stretch.filter(({ isOld }) => Boolean(isOld)).map((row) => row.id);
      if (old.length === 0) break;
      removed += await db.transaction(async (tx) => {
        const gone = await tx
          .delete(table)
          .where(and(isOneOf(id, old), isDone))
          .returning({ id: sql`${id}`.mapWith(Number) });
        await alongWith?.(
          tx,
          gone.map((row) => row.id),
        );
        return gone.length;
      });
      last = stretch.at(-1)?.id ?? last;
      if (stretch.length < BATCH) break;
      await Bun.sleep(pauseMs);
    }
    return removed;
  }

  function isOneOf(id: PgColumn, ids: readonly number[]): SQL {
    return db.dialect.anyId(sql`${id}`, db.dialect.idList(ids));
  }

  /** A tracking token begins with its time, so the unique index finds the old ones. */
  async function removeSessions(cutoff: Date): Promise<number> {
    const { sessions } = db.tables;
    const firstYoung = firstIdAt(cutoff.getTime());
    let removed = 0;
    while (!hourly.isStopping()) {
      const gone = await db.transaction((tx) =>
        tx
          .delete(sessions)
          .where(
            sql`${sessions.id} in (select s.id from ${sessions} s where s.tracking_token < ${firstYoung} order by s.tracking_token limit ${BATCH})`,
          )
          .returning({ id: sessions.id }),
      );
      removed += gone.length;
      if (gone.length < BATCH) break;
      await Bun.sleep(pauseMs);
    }
    return removed;
  }

  const hourly = hourlyWork(
    { log, schedule: SCHEDULE, complaint: "old rows could not be removed; trying again in an hour" },
    runAll,
  );
  return hourly;
}
