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
 * The routes that have pending rows and are not paused. Hops through the index of pending rows from one route's first
 * row to the next's, so its cost follows the number of routes, not of rows. A pixel or a bot that is to slow down (`<id>`) holds its
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
    with recursive heads(destination, id) as (
      ${sql.join(
        DESTINATIONS.map((name) => firstOf(sql.raw(`'${name}'`))),
        sql` union all `,
      )}
      union all
      select head.destination, ${firstPending(sql`o.destination = head.destination and o.route > head.route`)}
      from heads join outbox_progress head on head.id = heads.id
    )
    select head.destination, head.route, ${epochMs(sql`head.available_at`)} as due,
      ${epochMs(sql`(
        select max(a.throttled_until) from outbox_routes a
        where a.destination = head.destination and (a.route = head.route or head.route like a.route || '/%')
      )`)} as throttled, ${epochMs(sql`r.open_until`)} as open,
      ${epochMs(now)} as now, r.failures, r.throttles, r.unexplained
    from heads join outbox_progress head on head.id = heads.id
    left join outbox_routes r on r.destination = head.destination and r.route = head.route
    where r.paused_at is null`,
);

function firstOf(destination: SQL): SQL {
  return sql`select cast(${destination} as text), ${firstPending(sql`o.destination = ${destination}`)}`;
}

/** Of the pending rows where the condition holds, the first route's first one: one look into their index. */
function firstPending(condition: SQL): SQL {
  return sql`(
    select o.id from outbox_progress o where o.status = 'pending' and ${condition}
    order by o.route, o.available_at, o.id limit 1
  )`;
}
