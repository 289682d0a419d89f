import { type SQL, sql } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { keptStatement } from "../db/kept.ts";
import { DESTINATIONS, type Destination } from "../db/vocabulary.ts";
import type { RouteKey, Standing } from "./routes.ts";

/** A route with something waiting. */
export interface WaitingRoute extends RouteKey, Standing {
  /** Milliseconds until its first row may leave, by the database's clock; 0 or less: it is due. */
  readonly dueInMs: number;
}

/**
 * The routes that have pending rows and are not paused. Hops through the index of pending rows from one route to
 * the next, so its cost follows the number of routes, not of rows. A pixel or a bot that is to slow down (`<id>`) holds its
 * other routes (`<id>/…`) back as well.
 */
export async function waitingRoutes(reader: Reader, dialect: Dialect): Promise<WaitingRoute[]> {
  const rows = await reader.rows<{
    destination: Destination;
    route: string;
    due: number;
    throttled: number | null;
    open: number | null;
    now: number;
    failures: number | null;
    throttles: number | null;
    unexplained: number | null;
  }>(WAITING(dialect), {});
  return rows.map(({ destination, route, due, throttled, open, now, failures, throttles, unexplained }) => ({
    destination,
    route,
    dueInMs: Math.max(due, throttled ?? 0, open ?? 0) - now,
    failures: failures ?? 0,
    throttles: throttles ?? 0,
    unexplained: unexplained ?? 0,
  }));
}

const WAITING = keptStatement(
  ({ epochMs, now }) => sql`
    with recursive heads(destination, route) as (
      ${sql.join(DESTINATIONS.map(firstRoute), sql` union all `)}
      union all
      select destination, (
        select o.route from outbox_progress o
        where o.status = 'pending' and o.destination = heads.destination and o.route > heads.route
        order by o.route limit 1
      ) from heads where route is not null
    )
    select heads.destination, heads.route, (
        select ${epochMs(sql`o.available_at`)} from outbox_progress o
        where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
        order by o.available_at limit 1
      ) as due,
      ${epochMs(sql`(
        select max(a.throttled_until) from outbox_routes a
        where a.destination = heads.destination and (a.route = heads.route or heads.route like a.route || '/%')
      )`)} as throttled, ${epochMs(sql`r.open_until`)} as open,
      ${epochMs(now)} as now, r.failures, r.throttles, r.unexplained
    from heads left join outbox_routes r on r.destination = heads.destination and r.route = heads.route
    where heads.route is not null and r.paused_at is null`,
);

function firstRoute(destination: Destination): SQL {
  const literal = sql.raw(`'${destination}'`);
  return sql`select cast(${literal} as text), (
    select o.route from outbox_progress o where o.status = 'pending' and o.destination = ${literal} order by o.route limit 1
  )`;
}
