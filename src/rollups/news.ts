import { sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database } from "../db/database.ts";
import type { Destination } from "../db/vocabulary.ts";
import { bucketStart, HOUR_MS, hoursOfHead, MINUTE_MS, TOKEN_HEAD } from "./bucket.ts";
import { beginOf, type Marks, moveMark } from "./marks.ts";
import type { Pace } from "./pace.ts";

/** Rows looked at in one go; requests are long rows. */
const PAGE = 5_000;
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

/** What has to be counted again, and the marks once it is. */
export interface News {
  /** Beginnings of hours, the newest first. */
  readonly hours: readonly number[];
  readonly routes: readonly RouteMinutes[];
  readonly marks: Marks;
}

type Num = number | string;

/** Looks through the rows that were written since, whatever time they tell of: spooled visits come late. */
export async function findNews(db: Database, marks: Marks, nowMs: number, pace: Pace): Promise<News> {
  const { sessions, funnelStates, outboxAttempts } = db.tables;
  const hours = new Set<number>();
  const newest = {
    sessions: await newestId(db, sessions),
    funnelStates: await newestId(db, funnelStates),
    outboxAttempts: await newestId(db, outboxAttempts),
  };

  await walk(beginOf(marks.sessions, nowMs), PAGE, pace, (after) =>
    db.rows<{ rows: Num; last: Num; head: string }>(sql`
      select count(*) as rows, max(id) as last, head from (
        select id, substr(tracking_token, 1, ${sql.raw(String(TOKEN_HEAD))}) as head from ${sessions}
        where id > ${after} order by id limit ${PAGE}
      ) page group by head`),
  ).then((found) => {
    for (const { head } of found) for (const hour of hoursOfHead(head)) hours.add(hour);
  });

  const hourOf = sql`(cast(${db.dialect.epochMs(sql`created_at`)} as bigint) / ${sql.raw(String(HOUR_MS))})`;
  await walk(beginOf(marks.funnelStates, nowMs), PAGE, pace, (after) =>
    db.rows<{ rows: Num; last: Num; hour: Num }>(sql`
      select count(*) as rows, max(id) as last, hour from (
        select id, ${hourOf} as hour from ${funnelStates} where id > ${after} order by id limit ${PAGE}
      ) page group by hour`),
  ).then((found) => {
    for (const { hour } of found) hours.add(Number(hour) * HOUR_MS);
  });

  const beginAttempts = Math.max(
    beginOf(marks.outboxAttempts, nowMs),
    newest.outboxAttempts - MOST_OLD_ATTEMPTS,
  );
  const startedMs = db.dialect.epochMs(sql`started_at`);
  const attempts = await walk(beginAttempts, ATTEMPTS_PAGE, pace, (after) =>
    db.rows<{
      rows: Num;
      last: Num;
      destination: Destination;
      route: string;
      first_ms: Num;
      last_ms: Num;
    }>(sql`
      select count(*) as rows, max(id) as last, destination, route, min(at_ms) as first_ms, max(at_ms) as last_ms
      from (
        select id, destination, route, ${startedMs} as at_ms from ${outboxAttempts}
        where id > ${after} order by id limit ${ATTEMPTS_PAGE}
      ) page group by destination, route`),
  );
  return {
    hours: [...hours].sort((a, b) => b - a),
    routes: joinRoutes(attempts),
    marks: {
      sessions: moveMark(marks.sessions, newest.sessions, nowMs),
      funnelStates: moveMark(marks.funnelStates, newest.funnelStates, nowMs),
      outboxAttempts: moveMark(marks.outboxAttempts, newest.outboxAttempts, nowMs),
    },
  };
}

/** Goes through a table by row number, page by page, and gathers the groups of every page. */
async function walk<G extends { readonly rows: Num; readonly last: Num }>(
  begin: number,
  page: number,
  pace: Pace,
  read: (after: number) => Promise<readonly G[]>,
): Promise<G[]> {
  const found: G[] = [];
  for (let after = begin; ; ) {
    const groups = await pace(() => read(after));
    found.push(...groups);
    after = Math.max(after, ...groups.map(({ last }) => Number(last)));
    if (groups.reduce((sum, { rows }) => sum + Number(rows), 0) < page) return found;
  }
}

async function newestId(db: Database, table: PgTable): Promise<number> {
  const [row] = await db.rows<{ newest: Num | null }>(sql`select max(id) as newest from ${table}`);
  return Number(row?.newest ?? 0);
}

function joinRoutes(
  groups: readonly {
    readonly destination: Destination;
    readonly route: string;
    readonly first_ms: Num;
    readonly last_ms: Num;
  }[],
): RouteMinutes[] {
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
