import { and, eq, isNotNull, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import type { HoldState, OutboxStatus } from "../db/vocabulary.ts";
import { hasStatus } from "../outbox/filter.ts";
import { sampleOutbox } from "../outbox/sample.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import type { RouteName, RouteNames } from "./route-names.ts";

/** Paused routes, and sick bots, that are told one by one. */
const MOST_TOLD = 50;
/** Dead events are looked at as far as this. */
const MOST_DEAD = 2_000;

interface PausedRoute extends RouteName {
  readonly pausedAt: Date;
  /** The other side's own words. */
  readonly reason: string;
  readonly waiting: number;
}

/** A route that goes slowly, by itself and for a while. */
interface HeldRoute {
  readonly route: RouteName;
  readonly state: Exclude<HoldState, "paused">;
}

/** What waits and what is stuck, now. Counts end at the sample's limits, which `isMore…` says. */
export interface TroubleFacts {
  readonly waiting: number;
  readonly sending: number;
  readonly dead: number;
  readonly expired: number;
  readonly isMoreWaiting: boolean;
  readonly isMoreDead: boolean;
  readonly oldest: { readonly seconds: number; readonly route: RouteName } | null;
  readonly paused: readonly PausedRoute[];
  readonly held: readonly HeldRoute[];
  readonly deadByPool: readonly {
    readonly pool: string;
    readonly eventName: string;
    readonly events: number;
    readonly lastError: string;
  }[];
  readonly dispatchersAlive: number;
  /** Bots that are on and that no visitor is sent to, with Telegram's words. */
  readonly sickBots: readonly { readonly username: string; readonly reason: string }[];
}

/** Reads the partial indexes of what is not delivered, and of those no more than so many rows. */
export async function readTrouble(db: Database, names: RouteNames): Promise<TroubleFacts> {
  const { outboxRoutes } = db.tables;
  const sample = await sampleOutbox(db);
  await yieldToEventLoop();
  const pausedRows = await db
    .select()
    .from(outboxRoutes)
    .where(isNotNull(outboxRoutes.pausedAt))
    .orderBy(outboxRoutes.pausedAt)
    .limit(MOST_TOLD);
  const of = (status: OutboxStatus) =>
    sample.depths.filter((depth) => depth.status === status).reduce((sum, { events }) => sum + events, 0);
  const waitingOn = (destination: string, route: string) =>
    sample.depths.find((d) => d.status === "pending" && d.destination === destination && d.route === route)
      ?.events ?? 0;
  const oldest = sample.depths
    .filter(({ status, oldestSeconds }) => status === "pending" && oldestSeconds !== null)
    .sort((a, b) => (b.oldestSeconds ?? 0) - (a.oldestSeconds ?? 0))[0];
  return {
    waiting: of("pending"),
    sending: of("sending"),
    dead: of("dead"),
    expired: of("expired"),
    isMoreWaiting: sample.isMorePending,
    isMoreDead: sample.isMoreDead,
    oldest: oldest
      ? { seconds: oldest.oldestSeconds ?? 0, route: names(oldest.destination, oldest.route) }
      : null,
    paused: pausedRows.map(({ destination, route, pausedAt, pausedReason }) => ({
      ...names(destination, route),
      pausedAt: pausedAt ?? new Date(0),
      reason: pausedReason ?? "",
      waiting: waitingOn(destination, route),
    })),
    held: sample.held.flatMap(({ destination, route, state }) =>
      state === "paused" ? [] : [{ route: names(destination, route), state }],
    ),
    deadByPool: await readDead(db),
    dispatchersAlive: sample.dispatchersAlive,
    sickBots: await readSickBots(db),
  };
}

async function readSickBots(db: Database): Promise<TroubleFacts["sickBots"]> {
  const { bots } = db.tables;
  const rows = await db
    .select({ username: bots.username, reason: bots.healthReason })
    .from(bots)
    .where(and(eq(bots.enabled, true), eq(bots.healthy, false)))
    .orderBy(bots.username)
    .limit(MOST_TOLD);
  return rows.map(({ username, reason }) => ({ username, reason: reason ?? "Telegram does not say why" }));
}

/** The newest dead events by pool and kind, with the other side's last words. */
async function readDead(db: Database): Promise<TroubleFacts["deadByPool"]> {
  const { outboxProgress, pools } = db.tables;
  const rows = await db.rows<{
    pool: string | null;
    name: string;
    events: RawNumber;
    error: string | null;
  }>(sql`
    select p.slug as pool, d.event_name as name, d.events,
      (select o.last_error from ${outboxProgress} o where o.id = d.id) as error
    from (
      select pool_id, event_name, count(*) as events, max(id) as id from (
        select id, pool_id, event_name from ${outboxProgress} where ${hasStatus(outboxProgress, "dead")} order by id desc limit ${MOST_DEAD}
      ) newest group by pool_id, event_name
    ) d left join ${pools} p on p.id = d.pool_id
    order by d.events desc, name limit 20`);
  return rows.map(({ pool, name, events, error }) => ({
    pool: pool ?? "no pool",
    eventName: name,
    events: Number(events),
    lastError: error ?? "",
  }));
}
