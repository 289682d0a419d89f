import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { HOUR_MS } from "../platform/durations.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";

/**
 * A payment that nobody paid within this time is no longer waited for; money that arrives later still counts. Longer
 * than any provider keeps a checkout open: Stripe's pages and Pix codes live for a day.
 */
const PENDING_FOR_MS = 48 * HOUR_MS;
const BATCH = 500;
const EVERY_FIVE_MINUTES = "17 */5 * * * *";

/**
 * Marks pending payments that are too old as expired, in small batches. Resolves to how many.
 *
 * @param signal ends the work after the batch in hand
 */
export async function expirePayments(db: Database, now: Date, signal?: AbortSignal): Promise<number> {
  const { instant, idAmong, skipLocked } = db.dialect;
  const before = instant(new Date(now.getTime() - PENDING_FOR_MS));
  // Its time may be the shop's own, long before it was registered here: both must be over. Who holds one of them has
  // something to say of it, and may want another of them: waited for, the two would wait for each other.
  const due = sql`
    select id from payments where status = 'pending' and created_at < ${before} and updated_at < ${before}
    order by created_at limit ${BATCH} ${skipLocked}`;
  const expire = sql`
    update payments set status = 'expired', updated_at = ${instant(now)} where ${idAmong(sql`id`, due)} returning id`;
  for (let total = 0; ; ) {
    const { length: expired } = await db.transaction((tx) => tx.rows(expire));
    total += expired;
    if (expired < BATCH || signal?.aborted) return total;
  }
}

/** Expires payments by schedule. Any number of processes may do so side by side. */
export function createExpiry(deps: {
  readonly db: Database;
  readonly log: Log;
  readonly now: () => Date;
}): Periodic<void> {
  const { db, log, now } = deps;
  const job = {
    schedule: EVERY_FIVE_MINUTES,
    failed: "old payments could not be expired; trying again in five minutes",
    worked: "old payments can be expired again",
  };
  return periodic(deps, job, async (signal) => {
    const expired = await expirePayments(db, now(), signal);
    if (expired > 0) log.info({ expired }, "payments that nobody paid are no longer waited for");
  });
}
