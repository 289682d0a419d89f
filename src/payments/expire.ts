import { and, asc, inArray, lt, sql } from "drizzle-orm";
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
  const { payments } = db.tables;
  const before = new Date(now.getTime() - PENDING_FOR_MS);
  for (let total = 0; ; ) {
    const expired = await db.transaction(async (tx) => {
      const due = await db.dialect.locked(
        tx
          .select({ id: payments.id })
          .from(payments)
          // Its time may be the shop's own, long before it was registered here: both must be over.
          // Spelt out, because an index over pending payments serves no parameter.
          .where(
            and(
              sql`${payments.status} = 'pending'`,
              lt(payments.createdAt, before),
              lt(payments.updatedAt, before),
            ),
          )
          .orderBy(asc(payments.createdAt))
          .limit(BATCH),
      );
      if (due.length > 0) {
        const ids = due.map(({ id }) => id);
        await tx.update(payments).set({ status: "expired", updatedAt: now }).where(inArray(payments.id, ids));
      }
      return due.length;
    });
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
