import { and, desc, eq, gte, inArray, lt, ne, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../db/database.ts";
import { HOUR_MS } from "../platform/durations.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { bucketStart } from "../rollups/bucket.ts";
import { type Counts, type Dimension, OTHER_CAMPAIGNS } from "../rollups/funnel-tally.ts";
import type { TimeRange } from "./time-range.ts";

/** Lines of a table, the best ones. */
const MOST_LINES = 20;

/** How often each step happened. */
export type Steps = Omit<Counts, "valueMinor" | "refundedMinor">;

/** Sales in one currency. */
export interface Value {
  readonly currency: string;
  readonly valueMinor: number;
}

/** The steps of one pool, bot or campaign. */
export interface FunnelLine extends Steps {
  /** A pool's or bot's number, a campaign as it came; empty where there is none. */
  readonly key: string;
  /** What operators call it. */
  readonly name: string;
  /** Whether a page could show it: a pool or bot that is still there. */
  readonly isThere: boolean;
  readonly values: readonly Value[];
}

interface FunnelHour extends Steps {
  readonly atMs: number;
  /** Sales by currency. */
  readonly valuesMinor: Readonly<Record<string, number>>;
}

/** What happened in the whole hours that a span touches. */
export interface FunnelFacts {
  readonly fromMs: number;
  readonly total: FunnelLine;
  readonly byPool: readonly FunnelLine[];
  readonly byBot: readonly FunnelLine[];
  readonly byCampaign: readonly FunnelLine[];
  readonly byHour: readonly FunnelHour[];
}

/** Reads `funnel_hourly` only: some thousand rows for a month, whatever the traffic. */
export async function readFunnel(db: Database, { fromMs, toMs }: TimeRange): Promise<FunnelFacts> {
  const { funnelHourly: f, pools, bots } = db.tables;
  const firstMs = bucketStart(fromMs, HOUR_MS);
  const isIn = (dimension: Dimension) =>
    and(eq(f.dimension, dimension), gte(f.hour, new Date(firstMs)), lt(f.hour, new Date(toMs)));
  const hours = await db
    .select({ hour: f.hour, ...sums(db) })
    .from(f)
    .where(isIn("pool"))
    .groupBy(f.hour);
  const values = await db
    .select({ hour: f.hour, currency: f.currency, valueMinor: sum(f.valueMinor) })
    .from(f)
    .where(and(isIn("pool"), ne(f.currency, "")))
    .groupBy(f.hour, f.currency)
    .orderBy(f.currency);
  const poolRows = await db.select({ id: pools.id, slug: pools.slug }).from(pools);
  const botRows = await db.select({ id: bots.id, username: bots.username }).from(bots);
  const slugs = new Map(poolRows.map(({ id, slug }) => [String(id), slug]));
  const usernames = new Map(botRows.map(({ id, username }) => [String(id), username]));
  return {
    fromMs: firstMs,
    total: await readTotal(db, isIn("pool")),
    byPool: await readLines(db, isIn("pool"), (id) => {
      const slug = slugs.get(id);
      if (slug !== undefined) return { name: slug, isThere: true };
      return { name: id === "" ? "no pool" : `pool ${id}, removed`, isThere: false };
    }),
    byBot: await readLines(db, isIn("bot"), (id) => {
      const username = usernames.get(id);
      if (username !== undefined) return { name: `@${username}`, isThere: true };
      return { name: id === "" ? "no bot" : `bot ${id}, removed`, isThere: false };
    }),
    byCampaign: await readLines(db, isIn("campaign"), (name) => ({
      name: campaignName(name),
      isThere: false,
    })),
    byHour: everyHour(hours, values, firstMs, toMs),
  };
}

/** The best keys of a dimension, by sales and then by clicks, with their names. */
async function readLines(
  db: Database,
  where: SQL | undefined,
  nameOf: (key: string) => Pick<FunnelLine, "name" | "isThere">,
): Promise<FunnelLine[]> {
  const { funnelHourly: f } = db.tables;
  await yieldToEventLoop();
  const best = await db
    .select({ key: f.key, ...sums(db) })
    .from(f)
    .where(where)
    .groupBy(f.key)
    .orderBy(desc(sql`sum(${f.paid})`), desc(sql`sum(${f.clicks})`), f.key)
    .limit(MOST_LINES);
  if (best.length === 0) return [];
  await yieldToEventLoop();
  const keys = best.map(({ key }) => key);
  const values = await db
    .select({ key: f.key, currency: f.currency, valueMinor: sum(f.valueMinor) })
    .from(f)
    .where(and(where, ne(f.currency, ""), inArray(f.key, keys)))
    .groupBy(f.key, f.currency)
    .orderBy(f.currency);
  return best.map(({ key, ...counts }) => ({
    key,
    ...nameOf(key),
    ...counts,
    values: realValues(values.filter((value) => value.key === key)),
  }));
}

async function readTotal(db: Database, where: SQL | undefined): Promise<FunnelLine> {
  const { funnelHourly: f } = db.tables;
  const [counts] = await db.select(sums(db)).from(f).where(where);
  const values = await db
    .select({ currency: f.currency, valueMinor: sum(f.valueMinor) })
    .from(f)
    .where(and(where, ne(f.currency, "")))
    .groupBy(f.currency)
    .orderBy(desc(sql`sum(${f.paid})`), f.currency);
  return { key: "", name: "All", isThere: false, ...NONE, ...counts, values: realValues(values) };
}

const NONE: Steps = { clicks: 0, starts: 0, checkouts: 0, paid: 0, delivered: 0, refunded: 0 };

/** Also those in which nothing happened. */
function everyHour(
  rows: readonly (Steps & { readonly hour: Date })[],
  values: readonly (Value & { readonly hour: Date })[],
  firstMs: number,
  toMs: number,
): FunnelHour[] {
  const byTime = new Map(rows.map(({ hour, ...steps }) => [hour.getTime(), steps]));
  const byHour = Map.groupBy(values, ({ hour }) => hour.getTime());
  const hours: FunnelHour[] = [];
  for (let atMs = firstMs; atMs < toMs; atMs += HOUR_MS) {
    const valuesMinor = Object.fromEntries(
      (byHour.get(atMs) ?? []).map(({ currency, valueMinor }) => [currency, valueMinor]),
    );
    hours.push({ atMs, valuesMinor, ...(byTime.get(atMs) ?? NONE) });
  }
  return hours;
}

function sum(column: PgColumn) {
  return sql<number>`coalesce(sum(${column}), 0)`.mapWith(Number);
}

function sums({ tables: { funnelHourly: f } }: Database) {
  return {
    clicks: sum(f.clicks),
    starts: sum(f.starts),
    checkouts: sum(f.checkouts),
    paid: sum(f.paid),
    delivered: sum(f.delivered),
    refunded: sum(f.refunded),
  };
}

function realValues(values: readonly Value[]): Value[] {
  return values
    .filter(({ valueMinor }) => valueMinor !== 0)
    .map(({ currency, valueMinor }) => ({ currency, valueMinor }));
}

function campaignName(campaign: string): string {
  if (campaign === "") return "(none)";
  return campaign === OTHER_CAMPAIGNS ? "(all others)" : campaign;
}
