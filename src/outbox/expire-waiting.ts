import { isNotNull, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import { changeFound } from "./change-found.ts";
import { clockLeap } from "./clock-leap.ts";
import type { Adapters, ClaimedRow } from "./destination.ts";
import { rowsWhere } from "./lease.ts";
import { PIECE } from "./limits.ts";
import type { Ending, OnSettled } from "./record-request.ts";
import type { RouteKey } from "./routes.ts";

/** Between two pieces, so that those who serve visitors go first. */
const PAUSE_MS = 20;
/** Once an hour, at a minute at which nobody else's jobs run. */
const SCHEDULE = "0 41 * * * *";

const REASON = "not sent: it became older than the other side takes while its route was paused";
const ENDING: Ending = { kind: "expired", fbtraceId: null, reason: REASON };

interface ExpireWaitingDeps {
  readonly db: Database;
  readonly log: Log;
  readonly adapters: Adapters;
  readonly onSettled: OnSettled;
}

/**
 * Ends what became too old to be sent on paused routes, and answers how much: it is never claimed, so that nobody would
 * notice. While the clock is doubted nothing ends.
 */
export function createExpireWaiting(deps: ExpireWaitingDeps): Periodic<number> {
  const { db, log, adapters, onSettled } = deps;
  const { outboxRoutes } = db.tables;

  async function expireAll(signal: AbortSignal): Promise<number> {
    const paused = await db
      .select({ destination: outboxRoutes.destination, route: outboxRoutes.route })
      .from(outboxRoutes)
      .where(isNotNull(outboxRoutes.pausedAt));
    let expired = 0;
    for (const key of paused) expired += await expireRoute(key, signal);
    if (expired > 0) log.error({ events: expired }, "events became too old while their routes were paused");
    return expired;
  }

  async function expireRoute(key: RouteKey, signal: AbortSignal): Promise<number> {
    const adapter = adapters[key.destination];
    if (!adapter) return 0;
    let expired = 0;
    let after = sql``;
    while (!signal.aborted) {
      const page = await rowsWhere(
        db,
        sql`status = 'pending' and destination = ${key.destination} and route = ${key.route} ${after}
          order by available_at, id limit ${PIECE}`,
      );
      const old = page.filter((row) => adapter.isExpired(row, new Date(row.claimedAtMs)));
      if (old.length > 0) expired += await end(key, old);
      const last = page.at(-1);
      if (!last || page.length < PIECE) break;
      after = sql`and (available_at, id) > (select o.available_at, o.id from outbox_progress o where o.id = ${last.id})`;
      await Bun.sleep(PAUSE_MS);
    }
    return expired;
  }

  /**
   * Those that still wait: meanwhile the route may have been resumed, and a dispatcher have taken some. What somebody else
   * is changing is left to the next look, for the two might wait for each other.
   */
  async function end(key: RouteKey, rows: readonly ClaimedRow[]): Promise<number> {
    const { dialect } = db;
    const ids = dialect.idList(rows.map(({ id }) => id));
    const waiting = sql`
      select id from outbox_progress where ${dialect.anyId(sql`id`, ids)} and status = 'pending' ${dialect.skipLocked}`;
    return db.transaction(async (tx) => {
      if (await clockLeap(tx, dialect)) return 0;
      const set = sql`status = 'expired', last_error = ${REASON}`;
      const ended = new Set(await changeFound(tx, db, waiting, set));
      const gone = rows.filter(({ id }) => ended.has(id));
      if (gone.length > 0) await onSettled(tx, gone, ENDING, key);
      return gone.length;
    });
  }

  const job = {
    schedule: SCHEDULE,
    failed: "what became too old could not be ended; trying again in an hour",
    worked: "what became too old can be ended again",
  };
  return periodic(deps, job, expireAll);
}
