import { and, eq, gt, lt, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database, RawNumber } from "../db/database.ts";
import type { Destination } from "../db/vocabulary.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import { bucketNumber, bucketStart, type HourNews, hoursOfHead, TOKEN_HEAD } from "./bucket.ts";
import type { Throttle } from "./throttle.ts";
import { advance, type Watermarks } from "./watermarks.ts";

/** Rows looked at in one go; requests are long rows. */
const PAGE = 1_000;
const ATTEMPTS_PAGE = 500;
/** Requests made before anything was counted are counted as far back as this. */
const MOST_OLD_ATTEMPTS = 50_000;

/** A route's minutes, from the first to the last that had a request. Unix milliseconds. */
export interface RouteMinutes {
  readonly destination: Destination;
  readonly route: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What has to be counted again, and the watermarks once it is. */
interface News {
  /** The newest first. */
  readonly hours: readonly HourNews[];
  readonly routes: readonly RouteMinutes[];
  readonly watermarks: Watermarks;
}

/** Looks through the rows that were written since, whatever time they tell of: spooled visits come late. */
export async function findNews(
  db: Database,
  watermarks: Watermarks,
  nowMs: number,
  throttle: Throttle,
): Promise<News> {
  const { sessions, funnelStates, outboxAttempts } = db.tables;
  // Before the rows are looked at: what comes meanwhile is the next look's.
  const newest = {
    sessions: await newestId(db, sessions),
    funnelStates: await newestId(db, funnelStates),
    outboxAttempts: await newestId(db, outboxAttempts),
  };
  const oldestAttempt = newest.outboxAttempts - MOST_OLD_ATTEMPTS;
  const { settled } = watermarks.sessions;
  const visits = await hoursOfVisits(db, settled, throttle);
  const isLate = visits.some(({ hourMs }) => hourMs < bucketStart(nowMs, HOUR_MS));
  const hours = joinHours([
    ...visits,
    ...(isLate ? await hoursOfEarlierSteps(db, settled, throttle) : []),
    ...(await hoursOfStates(db, watermarks.funnelStates.settled, throttle)),
  ]);
  return {
    hours: await stillCountable(db, hours, nowMs),
    routes: await routesOfRequests(db, Math.max(watermarks.outboxAttempts.settled, oldestAttempt), throttle),
    watermarks: {
      sessions: advance(watermarks.sessions, newest.sessions, nowMs),
      funnelStates: advance(watermarks.funnelStates, newest.funnelStates, nowMs),
      outboxAttempts: advance(watermarks.outboxAttempts, newest.outboxAttempts, nowMs),
    },
  };
}

/** Each hour once, from when the first of its news is; the newest first. */
function joinHours(news: readonly HourNews[]): HourNews[] {
  const first = new Map<number, number>();
  for (const { hourMs, fromMs } of news) first.set(hourMs, Math.min(fromMs, first.get(hourMs) ?? fromMs));
  return [...first].map(([hourMs, fromMs]) => ({ hourMs, fromMs })).toSorted((a, b) => b.hourMs - a.hourMs);
}

/** A visit's time lies in its token. */
async function hoursOfVisits(db: Database, begin: number, throttle: Throttle): Promise<HourNews[]> {
  const found = await walk(begin, PAGE, throttle, (after) =>
    db.rows<Group & { readonly head: string }>(sql`
      select count(*) as rows, max(id) as last, head from (
        select id, substr(tracking_token, 1, ${sql.raw(String(TOKEN_HEAD))}) as head from ${db.tables.sessions}
        where id > ${after} order by id limit ${PAGE}
      ) page group by head`),
  );
  return found.flatMap(({ head }) => hoursOfHead(head));
}

/**
 * What followed a visit that came late, out of a spool, was counted under no campaign; in the visit's own hour it is
 * counted again with it.
 */
async function hoursOfEarlierSteps(db: Database, begin: number, throttle: Throttle): Promise<HourNews[]> {
  const { dialect, tables } = db;
  const { sessions, funnelStates } = tables;
  const found = await walk(begin, PAGE, throttle, async (after) => {
    const page = await db
      .select({ id: sessions.id, token: sessions.trackingToken })
      .from(sessions)
      .where(gt(sessions.id, after))
      .orderBy(sessions.id)
      .limit(PAGE);
    const tokens = dialect.textList(page.map(({ token }) => token));
    const steps = await db.rows<{ readonly first_ms: RawNumber }>(sql`
      select min(${dialect.epochMs(sql`created_at`)}) as first_ms from ${funnelStates}
      where ${dialect.anyText(sql`tracking_token`, tokens)} group by ${bucketNumber(db, sql`created_at`, HOUR_MS)}`);
    return [{ rows: page.length, last: page.at(-1)?.id ?? after, steps }];
  });
  return found.flatMap(({ steps }) => steps.map(hourFrom));
}

/**
 * Without those before the oldest visit that were counted before: retention has taken visits of theirs since, though
 * none of the last day.
 */
async function stillCountable(
  db: Database,
  hours: readonly HourNews[],
  nowMs: number,
): Promise<readonly HourNews[]> {
  const { sessions, funnelHourly } = db.tables;
  const [oldest] = await db.rows<{ head: string | null }>(
    sql`select substr(min(tracking_token), 1, ${sql.raw(String(TOKEN_HEAD))}) as head from ${sessions}`,
  );
  const [oldestHour] = hoursOfHead(oldest?.head ?? "");
  const fromMs = Math.min(oldestHour?.hourMs ?? nowMs, nowMs - DAY_MS);
  if (hours.every(({ hourMs }) => hourMs >= fromMs)) return hours;
  const counted = await db
    .selectDistinct({ hour: funnelHourly.hour })
    .from(funnelHourly)
    .where(and(eq(funnelHourly.dimension, "pool"), lt(funnelHourly.hour, new Date(fromMs))));
  const done = new Set(counted.map(({ hour }) => hour.getTime()));
  return hours.filter(({ hourMs }) => !done.has(hourMs));
}

async function hoursOfStates(db: Database, begin: number, throttle: Throttle): Promise<HourNews[]> {
  const { dialect, tables } = db;
  const found = await walk(begin, PAGE, throttle, (after) =>
    db.rows<Group & { readonly first_ms: RawNumber }>(sql`
      select count(*) as rows, max(id) as last, min(${dialect.epochMs(sql`created_at`)}) as first_ms from (
        select id, created_at from ${tables.funnelStates} where id > ${after} order by id limit ${PAGE}
      ) page group by ${bucketNumber(db, sql`created_at`, HOUR_MS)}`),
  );
  return found.map(hourFrom);
}

/** The hour of its first news. */
function hourFrom({ first_ms }: { readonly first_ms: RawNumber }): HourNews {
  const fromMs = Number(first_ms);
  return { hourMs: bucketStart(fromMs, HOUR_MS), fromMs };
}

interface RequestGroup extends Group {
  readonly destination: Destination;
  readonly route: string;
  readonly first_ms: RawNumber;
  readonly last_ms: RawNumber;
}

async function routesOfRequests(db: Database, begin: number, throttle: Throttle): Promise<RouteMinutes[]> {
  const startedMs = db.dialect.epochMs(sql`started_at`);
  const found = await walk(begin, ATTEMPTS_PAGE, throttle, (after) =>
    db.rows<RequestGroup>(sql`
      select count(*) as rows, max(id) as last, destination, route, min(at_ms) as first_ms, max(at_ms) as last_ms
      from (
        select id, destination, route, ${startedMs} as at_ms from ${db.tables.outboxAttempts}
        where id > ${after} order by id limit ${ATTEMPTS_PAGE}
      ) page group by destination, route`),
  );
  return joinRoutes(found);
}

/** Rows of one page that have something in common. */
interface Group {
  readonly rows: RawNumber;
  readonly last: RawNumber;
}

/** Goes through a table by row number, page by page, and gathers the groups of every page. */
async function walk<G extends Group>(
  begin: number,
  page: number,
  throttle: Throttle,
  read: (after: number) => Promise<readonly G[]>,
): Promise<G[]> {
  const found: G[] = [];
  for (let after = begin; ; ) {
    const groups = await throttle(() => read(after));
    found.push(...groups);
    after = Math.max(after, ...groups.map(({ last }) => Number(last)));
    if (groups.reduce((sum, { rows }) => sum + Number(rows), 0) < page) return found;
  }
}

async function newestId(db: Database, table: PgTable): Promise<number> {
  const [row] = await db.rows<{ newest: RawNumber | null }>(sql`select max(id) as newest from ${table}`);
  return Number(row?.newest ?? 0);
}

/** A route's groups of several pages as one. */
function joinRoutes(groups: readonly RequestGroup[]): RouteMinutes[] {
  const joined = new Map<string, RouteMinutes>();
  for (const { destination, route, first_ms, last_ms } of groups) {
    const name = `${destination} ${route}`;
    const fromMs = bucketStart(Number(first_ms), MINUTE_MS);
    const toMs = bucketStart(Number(last_ms), MINUTE_MS) + MINUTE_MS;
    const had = joined.get(name) ?? { fromMs, toMs };
    joined.set(name, {
      destination,
      route,
      fromMs: Math.min(had.fromMs, fromMs),
      toMs: Math.max(had.toMs, toMs),
    });
  }
  return [...joined.values()];
}
