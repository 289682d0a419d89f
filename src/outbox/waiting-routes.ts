import { type SQL, sql } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { DESTINATIONS, type Destination } from "../db/vocabulary.ts";
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
  const rows = await reader.rows<{
    destination: Destination;
    route: string;
    due: number;
    throttled: number | null;
    accountThrottled: number | null;
    open: number | null;
    now: number;
    failures: number | null;
    throttles: number | null;
    unexplained: number | null;
  }>(WAITING(dialect), {});
  return rows.map(({ destination, route, due, throttled, accountThrottled, open, now, ...standing }) => ({
    destination,
    route,
    dueInMs: Math.max(due, throttled ?? 0, accountThrottled ?? 0, openUntilMs(open, now)) - now,
    failures: standing.failures ?? 0,
    throttles: standing.throttles ?? 0,
    unexplained: standing.unexplained ?? 0,
  }));
}

/** When a breaker's rest, or somebody's right to probe, ends. */
function openUntilMs(open: number | null, now: number): number {
  return open === null || open > now + LONGEST_OPEN_MS ? 0 : open;
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
    select heads.destination, heads.route, ${epochMs(sql`heads.available_at`)} as due,
      ${epochMs(sql`r.throttled_until`)} as throttled, ${epochMs(sql`account.throttled_until`)} as "accountThrottled",
      ${epochMs(sql`r.open_until`)} as open, ${epochMs(now)} as now, r.failures, r.throttles, r.unexplained
    from heads left join outbox_routes r on r.destination = heads.destination and r.route = heads.route
      left join outbox_routes account
        on account.destination = heads.destination and account.route = ${accountIn(dialect, sql`heads.route`)}
    where r.paused_at is null`;
});
