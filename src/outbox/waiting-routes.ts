import { sql } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Destination } from "../db/define-schema.ts";
import type { Dialect } from "../db/dialect.ts";

/** A route with something waiting. */
export interface WaitingRoute {
  readonly destination: Destination;
  readonly route: string;
  /** Milliseconds until its first row may leave, by the database's clock; 0 or less: it is due. */
  readonly dueInMs: number;
  /** Requests that failed in a row. */
  readonly failures: number;
}

/**
 * The routes that have pending rows and are not paused. Hops through the index of pending rows from one route to
 * the next, so its cost follows the number of routes, not of rows.
 */
export async function waitingRoutes(reader: Reader, dialect: Dialect): Promise<WaitingRoute[]> {
  const { epochMs } = dialect;
  const next = (column: string) => sql`
    (select ${sql.raw(`o.${column}`)} from outbox o
     where o.status = 'pending' and (o.destination, o.route) > (heads.destination, heads.route)
     order by o.destination, o.route limit 1)`;
  const rows = await reader.rows<{
    destination: Destination;
    route: string;
    due: number | string;
    rest: number | string | null;
    now: number | string;
    failures: number | null;
  }>(sql`
    with recursive heads(destination, route) as (
      select * from (
        select destination, route from outbox where status = 'pending' order by destination, route limit 1
      ) first
      union all
      select ${next("destination")}, ${next("route")} from heads where heads.destination is not null
    )
    select heads.destination, heads.route,
      (select ${epochMs(sql`o.available_at`)} from outbox o
       where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
       order by o.available_at limit 1) as due,
      ${epochMs(sql`case when r.throttled_until is null or r.open_until > r.throttled_until then r.open_until else r.throttled_until end`)} as rest,
      ${epochMs(dialect.now)} as now,
      r.failures as failures
    from heads
    left join outbox_routes r on r.destination = heads.destination and r.route = heads.route
    where heads.destination is not null and r.paused_at is null`);
  return rows
    .filter((row) => row.due !== null)
    .map((row) => ({
      destination: row.destination,
      route: row.route,
      dueInMs: Math.max(Number(row.due), Number(row.rest ?? 0)) - Number(row.now),
      failures: row.failures ?? 0,
    }));
}
