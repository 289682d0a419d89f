import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { DESTINATIONS } from "../db/define-schema.ts";

/** Counting stops here: a scrape must stay cheap when millions wait. The view `outbox_backlog` counts to the end. */
const MOST_PENDING = 100_000;
const MOST_ENDED = 10_000;
/** Rows, in the order of their turn, among which the oldest is looked for. */
const OLDEST_AMONG = 1_000;
const MOST_ROUTES = 500;

/** How much of a route is in which state. */
export interface OutboxDepth {
  readonly destination: string;
  readonly route: string;
  readonly status: string;
  readonly events: number;
  /** Age of the oldest, for what is pending. */
  readonly oldestSeconds: number | null;
}

/** A route that does not go at full speed, and why. */
export interface HeldRoute {
  readonly destination: string;
  readonly route: string;
  readonly state: "paused" | "throttled" | "resting";
}

export interface OutboxSample {
  readonly depths: readonly OutboxDepth[];
  readonly held: readonly HeldRoute[];
  /** Dispatchers that gave a sign of life within `aliveMs`. */
  readonly dispatchersAlive: number;
}

type Row = Readonly<Record<"destination" | "route" | "status", string>> & {
  readonly events: number | string;
  readonly oldest_ms: number | string | null;
};

/** Looks at the outbox by its partial indexes only, and at no more than so many rows of each route. */
export async function sampleOutbox(db: Database, aliveMs: number): Promise<OutboxSample> {
  const { dialect, tables } = db;
  const { now, plusMs, epochMs } = dialect;
  const [pending, rest, routes, alive] = await Promise.all([
    db.rows<Row>(pendingStatement(db)),
    db.rows<Row>(sql`
      select destination, route, status, count(*) as events, null as oldest_ms from (
        select destination, route, status from outbox where status = 'sending' limit ${sql.raw(String(MOST_PENDING))}
      ) held group by destination, route, status
      union all
      select destination, route, status, count(*) as events, null as oldest_ms from (
        select destination, route, status from outbox where status in ('dead', 'expired')
        limit ${sql.raw(String(MOST_ENDED))}
      ) ended group by destination, route, status`),
    db.rows<HeldRoute>(sql`
      select destination, route, case when paused_at is not null then 'paused'
        when throttled_until > ${now} then 'throttled' else 'resting' end as state
      from outbox_routes where paused_at is not null or throttled_until > ${now} or open_until > ${now}
      limit ${sql.raw(String(MOST_ROUTES))}`),
    db.rows<{ n: number | string }>(
      sql`select count(*) as n from ${tables.dispatchers} where ${tables.dispatchers.heartbeatAt} > ${plusMs(now, -aliveMs)}`,
    ),
  ]);
  const [clock] = await db.rows<{ ms: number | string }>(sql`select ${epochMs(now)} as ms`);
  const nowMs = Number(clock?.ms);
  return {
    depths: [...pending, ...rest].map(({ destination, route, status, events, oldest_ms }) => ({
      destination,
      route,
      status,
      events: Number(events),
      oldestSeconds: oldest_ms === null ? null : Math.max(0, (nowMs - Number(oldest_ms)) / 1000),
    })),
    held: routes,
    dispatchersAlive: Number(alive[0]?.n ?? 0),
  };
}

/** Hops from route to route through the index of pending rows, as the dispatcher does, and counts each one's so far. */
function pendingStatement({ dialect }: Database) {
  const heads = sql.join(
    DESTINATIONS.map((destination) => {
      const literal = sql.raw(`'${destination}'`);
      return sql`select cast(${literal} as text), (
        select o.route from outbox o where o.status = 'pending' and o.destination = ${literal} order by o.route limit 1)`;
    }),
    sql` union all `,
  );
  return sql`
    with recursive heads(destination, route) as (
      ${heads}
      union all
      select destination, (
        select o.route from outbox o
        where o.status = 'pending' and o.destination = heads.destination and o.route > heads.route
        order by o.route limit 1
      ) from heads where route is not null
    )
    select destination, route, 'pending' as status, (
        select count(*) from (
          select 1 from outbox o
          where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
          limit ${sql.raw(String(MOST_PENDING))}
        ) counted
      ) as events, (
        select ${dialect.epochMs(sql`min(first.created_at)`)} from (
          select o.created_at from outbox o
          where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
          order by o.available_at limit ${sql.raw(String(OLDEST_AMONG))}
        ) first
      ) as oldest_ms
    from heads where route is not null limit ${sql.raw(String(MOST_ROUTES))}`;
}
