import { type SQL, sql } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { DESTINATIONS } from "../db/vocabulary.ts";
import { LONGEST_OPEN_MS } from "./back-off.ts";
import { accountIn } from "./route-rows.ts";
import type { RouteKey, Standing } from "./routes.ts";

/** A route with something waiting. */
export interface WaitingRoute extends RouteKey, Standing {
  /** Milliseconds until its first row may leave, by the database's clock; 0 or less: it is due. */
  readonly dueInMs: number;
}

/**
 * The routes that have pending rows and are not paused. Hops through the index of pending rows from one route's first
 * row to the next's, and looks each route's standing up by its name, so its cost follows the number of routes, not of
 * rows. A pixel or a bot that is to slow down (`<id>`) holds its other routes (`<id>/…`) back as well.
 */
export async function waitingRoutes(reader: Reader, dialect: Dialect): Promise<WaitingRoute[]> {
  const rows = await reader.rows<WaitingRow>(WAITING(dialect), {});
  return rows.map(({ destination, route, failures, throttles, unexplained, nowMs, ...row }) => ({
    destination,
    route,
    dueInMs: mayLeaveAtMs(row, nowMs) - nowMs,
    failures: failures ?? 0,
    throttles: throttles ?? 0,
    unexplained: unexplained ?? 0,
  }));
}

/** Unix milliseconds, by the database's clock. */
interface Times {
  /** When the first row is due. */
  readonly dueMs: number;
  readonly throttledUntilMs: number | null;
  /** The same of the pixel or the bot. */
  readonly accountThrottledUntilMs: number | null;
  /** When a breaker's rest, or somebody's right to probe, ends. */
  readonly openUntilMs: number | null;
}

/** A row of `WAITING`; a route that never was in trouble has no standing. */
interface WaitingRow extends RouteKey, Times {
  readonly nowMs: number;
  readonly failures: number | null;
  readonly throttles: number | null;
  readonly unexplained: number | null;
}

/** A rest that seems to end later than any does was written by a clock that was ahead, and is over. */
function mayLeaveAtMs(
  { dueMs, throttledUntilMs, accountThrottledUntilMs, openUntilMs }: Times,
  nowMs: number,
): number {
  const isResting = openUntilMs !== null && openUntilMs <= nowMs + LONGEST_OPEN_MS;
  return Math.max(dueMs, throttledUntilMs ?? 0, accountThrottledUntilMs ?? 0, isResting ? openUntilMs : 0);
}

/**
 * Begins a statement with `heads`: every route that has pending rows, and when the first of them is due. Each is found
 * by one look into the index of pending rows, from route to route.
 */
export function withPendingHeads(): SQL {
  const firstPending = (condition: SQL) => sql`(
    select o.id from outbox_progress o where o.status = 'pending' and ${condition}
    order by o.route, o.available_at, o.id limit 1
  )`;
  const firsts = DESTINATIONS.map((name) => {
    const destination = sql.raw(`'${name}'`);
    return sql`select cast(${destination} as text), ${firstPending(sql`o.destination = ${destination}`)}`;
  });
  return sql`
    with recursive found(destination, id) as (
      ${sql.join(firsts, sql` union all `)}
      union all
      select destination, ${firstPending(sql`o.destination = found.destination and o.route > ${ofRow("found.id", "route")}`)}
      from found where id is not null
    ), heads as (
      select destination, ${ofRow("found.id", "route")} as route, ${ofRow("found.id", "available_at")} as available_at
      from found where id is not null
    )`;
}

/** A column of the row of that number: by its key, where a join might read the table through. */
function ofRow(id: string, column: string): SQL {
  return sql.raw(`(select p.${column} from outbox_progress p where p.id = ${id})`);
}

const WAITING = preparedStatement((dialect) => {
  const { epochMs, now } = dialect;
  return sql`
    ${withPendingHeads()}
    select heads.destination, heads.route, ${epochMs(sql`heads.available_at`)} as "dueMs",
      ${epochMs(sql`r.throttled_until`)} as "throttledUntilMs",
      ${epochMs(sql`account.throttled_until`)} as "accountThrottledUntilMs",
      ${epochMs(sql`r.open_until`)} as "openUntilMs", ${epochMs(now)} as "nowMs", r.failures, r.throttles, r.unexplained
    from heads left join outbox_routes r on r.destination = heads.destination and r.route = heads.route
      left join outbox_routes account
        on account.destination = heads.destination and account.route = ${accountIn(dialect, sql`heads.route`)}
    where r.paused_at is null`;
});
