import type { Database } from "../db/database.ts";
import { databaseNowMs } from "../db/database-now.ts";
import type { Destination, HoldState, OutboxStatus } from "../db/vocabulary.ts";
import { holdOf, type RouteRow } from "./holds.ts";
import { accountOf, type RouteKey, routeName } from "./routes.ts";
import { type Tally, tallyOutbox, together } from "./tally.ts";

/** How many events of a kind are in a state. Times are ISO text; `pool` is the slug. */
export interface StatusCount {
  readonly destination: Destination;
  readonly pool: string | null;
  readonly event_name: string;
  readonly status: OutboxStatus;
  readonly events: number;
  readonly oldest_created_at: string;
  readonly newest_created_at: string;
}

/** A route with something waiting or in trouble. */
export interface RouteBacklog {
  readonly destination: Destination;
  readonly route: string;
  readonly state: "ready" | HoldState;
  readonly waiting: number;
  /** Of those waiting, how many might leave now. */
  readonly due: number;
  readonly sending: number;
  readonly oldest_created_at: string | null;
  readonly oldest_age_seconds: number | null;
  readonly next_at: string | null;
  readonly paused_at: string | null;
  readonly paused_reason: string | null;
  readonly throttled_until: string | null;
  readonly open_until: string | null;
  readonly failures: number;
}

/** What the views `outbox_status` and `outbox_backlog` say. */
interface OutboxState {
  readonly events: readonly StatusCount[];
  /** The longest waiting first. */
  readonly routes: readonly RouteBacklog[];
}

/** Counts by pool, kind and status, and routes that are held up; see `tallyOutbox` for what `delivered` costs. */
export async function readOutboxState(
  db: Database,
  { delivered }: { delivered: boolean },
): Promise<OutboxState> {
  const tallies = await tallyOutbox(db, { delivered });
  return { events: await statusCounts(db, tallies), routes: await backlogOf(db, tallies) };
}

/** The routes that have something waiting or in trouble, the longest waiting first. */
export async function outboxBacklog(db: Database): Promise<readonly RouteBacklog[]> {
  return backlogOf(db, await tallyOutbox(db, { delivered: false }));
}

async function statusCounts(
  { tables: { pools }, ...db }: Database,
  tallies: readonly Tally[],
): Promise<StatusCount[]> {
  const known = await db.select({ id: pools.id, slug: pools.slug }).from(pools);
  const slugs = new Map(known.map(({ id, slug }) => [id, slug]));
  const poolOf = ({ poolId }: Tally) => (poolId === null ? null : (slugs.get(poolId) ?? null));
  const nameOf = (tally: Tally) =>
    [tally.destination, poolOf(tally) ?? "", tally.eventName, tally.status].join("\n");
  return together(tallies, nameOf)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .map((tally) => ({
      destination: tally.destination,
      pool: poolOf(tally),
      event_name: tally.eventName,
      status: tally.status,
      events: tally.events,
      oldest_created_at: isoTime(tally.oldestMs),
      newest_created_at: isoTime(tally.newestMs),
    }));
}

async function backlogOf(db: Database, tallies: readonly Tally[]): Promise<RouteBacklog[]> {
  const nowMs = await databaseNowMs(db);
  const rows = await db.select().from(db.tables.outboxRoutes);
  const known = new Map(rows.map((row) => [routeName(row), row]));
  const isThrottled = ({ throttledUntil }: RouteRow) =>
    throttledUntil !== null && throttledUntil.getTime() > nowMs;
  const troubled = rows.filter((row) => row.pausedAt || row.failures > 0 || isThrottled(row));
  const waiting = byRoute(tallies, "pending");
  const sending = byRoute(tallies, "sending");
  const keys = new Map<string, RouteKey>();
  for (const key of [...waiting.values(), ...sending.values(), ...troubled]) keys.set(routeName(key), key);
  return [...keys]
    .map(([name, { destination, route }]): RouteBacklog => {
      const row = known.get(name);
      const account = known.get(routeName(accountOf({ destination, route })));
      const throttledUntil = latest(row?.throttledUntil ?? null, account?.throttledUntil ?? null);
      const [pending, taken] = [waiting.get(name), sending.get(name)];
      const oldestMs = Math.min(...[pending, taken].flatMap((tally) => tally?.oldestMs ?? []));
      const hasAny = pending !== undefined || taken !== undefined;
      return {
        destination,
        route,
        state: holdOf(row, throttledUntil, nowMs)?.state ?? "ready",
        waiting: pending?.events ?? 0,
        due: pending?.due ?? 0,
        sending: taken?.events ?? 0,
        oldest_created_at: hasAny ? isoTime(oldestMs) : null,
        oldest_age_seconds: hasAny ? Math.floor((nowMs - oldestMs) / 1000) : null,
        next_at: pending ? isoTime(pending.nextMs) : null,
        paused_at: row?.pausedAt?.toISOString() ?? null,
        paused_reason: row?.pausedReason ?? null,
        throttled_until: throttledUntil?.toISOString() ?? null,
        open_until: row?.openUntil?.toISOString() ?? null,
        failures: row?.failures ?? 0,
      };
    })
    .sort(byAge);
}

/** What is in that state, all kinds together. */
function byRoute(tallies: readonly Tally[], status: OutboxStatus): Map<string, Tally> {
  const ofStatus = tallies.filter((tally) => tally.status === status);
  return new Map(together(ofStatus, routeName).map((tally) => [routeName(tally), tally]));
}

function latest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

/** Those without anything waiting last; of one age, by name. */
function byAge(a: RouteBacklog, b: RouteBacklog): number {
  const age = (of: RouteBacklog) => of.oldest_age_seconds ?? -1;
  return age(b) - age(a) || (routeName(a) < routeName(b) ? -1 : 1);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
