import { sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import { databaseNowMs } from "../db/database-now.ts";
import type { HoldState, OutboxStatus } from "../db/vocabulary.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { LONGEST_OPEN_MS } from "./back-off.ts";
import { hasStatus, statusLiteral } from "./filter.ts";
import { isAlive } from "./heartbeat.ts";
import type { RouteKey } from "./routes.ts";
import { withPendingHeads } from "./waiting-routes.ts";

/**
 * Counting stops here, the routes' shares together: a scrape must stay cheap when millions wait, and on SQLite it
 * holds up visitors. The view `outbox_backlog` counts to the end.
 */
const MOST_PENDING = 50_000;
const MOST_SENDING = 20_000;
const MOST_ENDED = 2_000;
/** Rows, in the order of their turn, among which the oldest is looked for; the routes' shares together. */
const OLDEST_AMONG = 1_000;
const MOST_ROUTES = 500;

type CountedStatus = Exclude<OutboxStatus, "delivered" | "discarded">;

/** How much of a route is in which state. */
interface OutboxDepth extends RouteKey {
  readonly status: CountedStatus;
  readonly events: number;
  /** Age of the oldest, for what is pending. */
  readonly oldestSeconds: number | null;
}

/** A route that does not go at full speed, and why. */
interface HeldRoute extends RouteKey {
  readonly state: HoldState;
}

/** How the outbox is doing, at a glance. */
interface OutboxSample {
  readonly depths: readonly OutboxDepth[];
  /** Whether counting stopped at a limit, so that there may be more. */
  readonly isMorePending: boolean;
  readonly isMoreDead: boolean;
  readonly held: readonly HeldRoute[];
  /** Dispatchers that gave a sign of life of late. */
  readonly dispatchersAlive: number;
}

/**
 * Looks at the outbox by its partial indexes only, at no more than so many rows, and with a breath after each look; so it
 * is the state of no single moment.
 */
export async function sampleOutbox(db: Database): Promise<OutboxSample> {
  const { now, plusMs } = db.dialect;
  const heads = await alone(
    db.rows<RouteKey>(sql`${withPendingHeads()} select destination, route from heads limit ${MOST_ROUTES}`),
  );
  const share = Math.ceil(MOST_PENDING / Math.max(1, heads.length));
  const pending = heads.length > 0 ? await alone(countPending(db, heads.length, share)) : [];
  const sending = await alone(countByRoute(db, "sending", MOST_SENDING));
  const dead = await alone(countByRoute(db, "dead", MOST_ENDED));
  const expired = await alone(countByRoute(db, "expired", MOST_ENDED));
  const [held, alive, nowMs] = await Promise.all([
    db.rows<HeldRoute>(sql`
      select destination, route, case when paused_at is not null then 'paused'
        when throttled_until > ${now} then 'throttled' else 'resting' end as state
      from outbox_routes where paused_at is not null or throttled_until > ${now}
        or (open_until > ${now} and open_until <= ${plusMs(now, LONGEST_OPEN_MS)})
      limit ${MOST_ROUTES}`),
    db.rows<{ n: RawNumber }>(sql`select count(*) as n from ${db.tables.dispatchers} where ${isAlive(db)}`),
    databaseNowMs(db),
  ]);
  return {
    depths: [...pending, ...sending, ...dead, ...expired].map(({ events, oldest_ms, ...of }) => ({
      ...of,
      events: Number(events),
      oldestSeconds: oldest_ms === null ? null : Math.max(0, (nowMs - Number(oldest_ms)) / 1000),
    })),
    isMorePending: heads.length >= MOST_ROUTES || pending.some(({ events }) => Number(events) >= share),
    isMoreDead: dead.reduce((sum, { events }) => sum + Number(events), 0) >= MOST_ENDED,
    held,
    dispatchersAlive: Number(alive[0]?.n ?? 0),
  };
}

/** On SQLite an awaited look never leaves the process, and several would keep visitors waiting together. */
async function alone<T>(look: Promise<T>): Promise<T> {
  const seen = await look;
  await yieldToEventLoop();
  return seen;
}

interface Row extends RouteKey {
  readonly status: CountedStatus;
  readonly events: RawNumber;
  readonly oldest_ms: RawNumber | null;
}

function countByRoute(db: Database, status: "sending" | "dead" | "expired", most: number): Promise<Row[]> {
  const { outboxProgress } = db.tables;
  return db.rows<Row>(sql`
    select destination, route, ${statusLiteral(status)} as status, count(*) as events, null as oldest_ms
    from (select destination, route from ${outboxProgress} where ${hasStatus(outboxProgress, status)} limit ${most}) counted
    group by destination, route`);
}

/** @param most rows counted of one route */
function countPending({ dialect, ...db }: Database, routes: number, most: number): Promise<Row[]> {
  const among = Math.ceil(OLDEST_AMONG / routes);
  return db.rows<Row>(sql`
    ${withPendingHeads()}
    select heads.destination, heads.route, 'pending' as status, (
        select count(*) from (
          select 1 from outbox_progress o
          where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
          limit ${most}
        ) counted
      ) as events, (
        select ${dialect.epochMs(sql`min(first.created_at)`)} from (
          select o.created_at from outbox_progress o
          where o.status = 'pending' and o.destination = heads.destination and o.route = heads.route
          order by o.available_at limit ${among}
        ) first
      ) as oldest_ms
    from heads limit ${MOST_ROUTES}`);
}
