import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import { LONGEST_BACK_OFF_MS, LONGEST_THROTTLE_MS } from "./back-off.ts";
import { changeFound } from "./change-found.ts";
import { PIECE } from "./limits.ts";
import type { RouteKey } from "./routes.ts";
import { withPendingHeads } from "./waiting-routes.ts";

/** Once a minute. */
const SCHEDULE = "11 * * * * *";

/**
 * Makes rows due that were written while the database's clock was ahead, and answers how many: set right by months, it
 * would have let them wait for as long. Lost with the machine's power, as `relaxed` may be, it is done again.
 */
export function createMisdatedSweep(deps: { readonly db: Database; readonly log: Log }): Periodic<number> {
  const { db, log } = deps;
  const job = {
    schedule: SCHEDULE,
    failed: "what a clock that was ahead has put off could not be made due; trying again in a minute",
    worked: "what a clock that was ahead has put off can be made due again",
  };
  return periodic(deps, job, async (signal) => {
    const routes = await db.rows<RouteKey>(sql`
      ${withPendingHeads()} select destination, route from heads
      where exists (select 1 from outbox_progress where ${isMisdated(db, sql`heads.destination`, sql`heads.route`)})`);
    let total = 0;
    for (const key of routes) {
      for (let due = PIECE; due === PIECE && !signal.aborted; total += due) due = await makeDue(db, key);
    }
    if (total > 0) log.warn({ events: total }, "events that a clock which was ahead had put off are due now");
    return total;
  });
}

async function makeDue(db: Database, { destination, route }: RouteKey): Promise<number> {
  const { now, skipLocked } = db.dialect;
  return db.transaction(async (tx) => {
    const misdated = sql`
      select id from outbox_progress where ${isMisdated(db, sql`${destination}`, sql`${route}`)}
      limit ${PIECE} ${skipLocked}`;
    const due = await changeFound(tx, db, misdated, sql`available_at = ${now}`);
    if (due.length > 0) await tx.notify("outbox");
    return due.length;
  }, "relaxed");
}

/**
 * Rows due later than the other side may ask for, or created in the future. Only rows that wait longer than a back-off are
 * looked at, by the index of pending rows; they are few.
 */
function isMisdated({ dialect: { now, plusMs } }: Database, destination: SQL, route: SQL): SQL {
  return sql`status = 'pending' and destination = ${destination} and route = ${route}
    and available_at > ${plusMs(now, LONGEST_BACK_OFF_MS)}
    and (available_at > ${plusMs(now, LONGEST_THROTTLE_MS)} or created_at > ${now})`;
}
