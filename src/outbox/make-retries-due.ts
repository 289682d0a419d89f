import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { changeFound } from "./change-found.ts";
import { DATABASE_TIMEOUT_MS, PIECE } from "./limits.ts";
import type { RouteKey } from "./routes.ts";

/** The most rows that are made due when a route may go again; the others wait for their own time. */
const MOST_MADE_DUE = 10_000;

/**
 * Makes those of the route's rows due that wait because an attempt failed or was put off, piece by piece. A row that is
 * only held for what a browser has still to report goes on waiting. Lost with the machine's power, as `relaxed` may be, or
 * ended in the midst, it leaves rows to their own time.
 *
 * @param mostAttempts of the rows that failed, only those that did so at most as often: others may be why the route
 *   failed. Rows that were only told to wait are then left alone, too
 */
export async function makeRetriesDue(db: Database, key: RouteKey, mostAttempts?: number): Promise<void> {
  for (let left = MOST_MADE_DUE; left > 0; left -= PIECE) {
    const piece = db.transaction((tx) => makePieceDue(tx, db, key, mostAttempts), "relaxed");
    if ((await withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, piece)) < PIECE) return;
  }
}

/** The same for at most a piece, inside the caller's transaction. Answers how many rows it made due. */
export async function makePieceDue(
  tx: Tx,
  db: Database,
  key: RouteKey,
  mostAttempts?: number,
): Promise<number> {
  const { now, skipLocked } = db.dialect;
  const isRetry =
    mostAttempts === undefined
      ? sql`(attempts > 0 or last_error is not null)`
      : sql`attempts between 1 and ${mostAttempts}`;
  const retries = sql`
    select id from outbox_progress
    where status = 'pending' and destination = ${key.destination} and route = ${key.route}
      and available_at > ${now} and ${isRetry}
    limit ${PIECE} ${skipLocked}`;
  const madeDue = await changeFound(tx, db, retries, sql`available_at = ${now}`);
  if (madeDue.length > 0) await tx.notify("outbox");
  return madeDue.length;
}
