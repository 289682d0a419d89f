import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { until } from "./until.ts";

/**
 * Resolves when the work has ended, or cannot go on before a transaction of the test's own has: on Postgres it waits
 * for a lock, on SQLite for its turn, which it comes to within a moment.
 *
 * @param waiting how many wait for a lock then, this work among them
 */
export async function untilHeldUp(db: Database, work: Promise<unknown>, waiting = 1): Promise<void> {
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
  };
  const ended = work.then(end, end);
  if (db.dialect.name === "sqlite") return Promise.race([ended, Bun.sleep(50)]);
  await until(async () => hasEnded || (await lockWaiters(db)) >= waiting, 5);
}

async function lockWaiters(db: Database): Promise<number> {
  const waiters = await db.rows(
    sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return waiters.length;
}
