import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { LEASE_MS, RENEW_EVERY_MS } from "../../src/outbox/lease.ts";

/** Resolves when nothing waits any more. Time that rows would spend waiting passes at once. */
export async function untilDrained(db: Database, spooled: () => Promise<number>): Promise<void> {
  while ((await spooled()) > 0 || (await waiting(db)) > 0) {
    await passWaits(db);
    await Bun.sleep(100);
  }
}

async function waiting(db: Database): Promise<number> {
  const [left] = await db.rows<{ n: number | string }>(
    sql`select count(*) as n from outbox where status in ('pending', 'sending')`,
  );
  return Number(left?.n);
}

/** Ends every back-off, throttle and rest, and the leases of dispatchers that are gone. */
export async function passWaits(db: Database): Promise<void> {
  const { now, plusMs } = db.dialect;
  const due = plusMs(now, -1);
  // A living dispatcher's lease never comes so near its end.
  const unrenewed = plusMs(now, LEASE_MS - 1.5 * RENEW_EVERY_MS);
  await db.transaction(async (tx) => {
    await tx.rows(
      sql`update outbox set available_at = ${due} where status = 'pending' and available_at > ${now} returning id`,
    );
    await tx.rows(
      sql`update outbox set lease_until = ${due} where status = 'sending' and lease_until < ${unrenewed} returning id`,
    );
    await tx.rows(
      sql`update outbox_routes set throttled_until = null, open_until = null where throttled_until > ${now} or open_until > ${now} returning id`,
    );
  });
}
