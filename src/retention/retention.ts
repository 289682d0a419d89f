import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import { clockLeap } from "../outbox/clock-leap.ts";
import { DAY_MS } from "../platform/durations.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import { type Removal, removeOldRows, removeOldSessions } from "./remove-old.ts";

const PAUSE_MS = 20;
/** Each names up to a thousand events, and so takes as long as several other rows. */
const ATTEMPTS = 100;
/** Once an hour, at a minute at which nobody else's jobs run. */
const SCHEDULE = "0 23 * * * *";

/** Rows removed, by table. */
interface Removed {
  readonly outbox: number;
  readonly outboxAttempts: number;
  readonly telegramUpdates: number;
  readonly sessions: number;
}

const NOTHING: Removed = { outbox: 0, outboxAttempts: 0, telegramUpdates: 0, sessions: 0 };

/**
 * Removes what is older than `days`: events that are done with (delivered, expired, discarded), the requests made for
 * events, Telegram's update numbers and sessions. Dead events stay until an operator decides.
 * While the clock is doubted nothing goes.
 */
export function createRetention(deps: {
  readonly db: Database;
  readonly log: Log;
  readonly days: number;
  readonly pauseMs?: number;
}): Periodic<Removed> {
  const { db, log, days, pauseMs = PAUSE_MS } = deps;
  const job = {
    schedule: SCHEDULE,
    failed: "old rows could not be removed; trying again in an hour",
    worked: "old rows can be removed again",
  };
  return periodic(deps, job, async (signal) => {
    if (await clockLeap(db, db.dialect)) {
      log.warn("nothing is removed for its age: the clock leapt forward not long ago");
      return NOTHING;
    }
    const cutoff = new Date((await db.transaction(async (tx) => tx.nowMs())) - days * DAY_MS);
    const removed = await removeAll({ db, cutoff, pauseMs, signal });
    const total = Object.values(removed).reduce((sum, n) => sum + n, 0);
    if (total > 0) log.info({ ...removed, cutoff }, "removed what was older than RETENTION_DAYS");
    return removed;
  });
}

async function removeAll(removal: Removal): Promise<Removed> {
  const { db } = removal;
  const { outboxEvents, outboxProgress, outboxAttempts, telegramUpdates } = db.tables;
  return {
    outbox: await removeOldRows(removal, {
      table: outboxProgress,
      id: outboxProgress.id,
      at: outboxProgress.createdAt,
      isDone: sql`${outboxProgress.status} in ('delivered', 'expired', 'discarded')`,
      alongWith: async (tx, ids) => {
        await tx.delete(outboxEvents).where(isOneOf(db, outboxEvents.id, ids));
      },
    }),
    outboxAttempts: await removeOldRows(removal, {
      table: outboxAttempts,
      id: outboxAttempts.id,
      at: outboxAttempts.startedAt,
      atOnce: ATTEMPTS,
    }),
    telegramUpdates: await removeOldRows(removal, {
      table: telegramUpdates,
      id: telegramUpdates.id,
      at: telegramUpdates.createdAt,
    }),
    sessions: await removeOldSessions(removal),
  };
}
