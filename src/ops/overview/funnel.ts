import { and, desc, gte, inArray, lt, ne, type SQL, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { FunnelLine, Steps } from "../../../views/ops/funnel.tsx";
import type { Database } from "../../db/database.ts";
import { bucketStart, HOUR_MS } from "../../rollups/bucket.ts";
import { OTHER_CAMPAIGNS } from "../../rollups/funnel-count.ts";
import { moneyText } from "../money.ts";
import type { Span } from "./span.ts";

/** Lines of a table; what is left out is said. */
const MOST_LINES = 20;

/** What happened in the whole hours that a span touches. */
export interface FunnelFacts {
  readonly fromMs: number;
  readonly total: FunnelLine;
  readonly byPool: readonly FunnelLine[];
  readonly byBot: readonly FunnelLine[];
  readonly byCampaign: readonly FunnelLine[];
  readonly byHour: readonly (Steps & { readonly atMs: number })[];
}

/** Reads `funnel_hourly` only: some thousand rows for a month, whatever the traffic. */
export async function readFunnel(db: Database, { fromMs, toMs }: Span): Promise<FunnelFacts> {
  const { funnelHourly: f, pools, bots } = db.tables;
  const firstMs = bucketStart(fromMs, HOUR_MS);
  const isInSpan = and(gte(f.hour, new Date(firstMs)), lt(f.hour, new Date(toMs)));
  const campaigns = await db
    .select({ key: f.campaign, ...sums(db) })
    .from(f)
    .where(isInSpan)
    .groupBy(f.campaign)
    .orderBy(desc(sql`sum(${f.paid})`), desc(sql`sum(${f.clicks})`), f.campaign)
    .limit(MOST_LINES);
  const isShown = inArray(
    f.campaign,
    campaigns.map(({ key }) => key),
  );
  const campaignValues = campaigns.length > 0 ? await values(db, f.campaign, and(isInSpan, isShown)) : [];
  const poolSteps = await db
    .select({ key: f.poolId, ...sums(db) })
    .from(f)
    .where(isInSpan)
    .groupBy(f.poolId);
  const poolValues = await values(db, f.poolId, isInSpan);
  const botSteps = await db
    .select({ key: f.botId, ...sums(db) })
    .from(f)
    .where(isInSpan)
    .groupBy(f.botId);
  const botValues = await values(db, f.botId, isInSpan);
  const hours = await db
    .select({ hour: f.hour, ...sums(db) })
    .from(f)
    .where(isInSpan)
    .groupBy(f.hour)
    .orderBy(f.hour);
  const poolNames = new Map(
    (await db.select({ id: pools.id, slug: pools.slug }).from(pools)).map(({ id, slug }) => [id, slug]),
  );
  const botNames = new Map(
    (await db.select({ id: bots.id, username: bots.username }).from(bots)).map((bot) => [
      bot.id,
      bot.username,
    ]),
  );

  const byPool = linesOf(poolSteps, poolValues, (id) => {
    const slug = poolNames.get(id);
    if (slug === undefined) return { name: id === 0 ? "without an ad" : `removed pool ${id}`, href: null };
    return { name: slug, href: `/ops/pools/${encodeURIComponent(slug)}` };
  });
  const byBot = linesOf(botSteps, botValues, (id) => {
    const username = botNames.get(id);
    if (username === undefined) return { name: id === 0 ? "no bot" : `removed bot ${id}`, href: null };
    return { name: `@${username}`, href: `/ops/bots/${encodeURIComponent(username)}` };
  });
  return {
    fromMs: firstMs,
    total: totalOf(poolSteps, poolValues),
    byPool: byPool.slice(0, MOST_LINES),
    byBot: byBot.slice(0, MOST_LINES),
    byCampaign: linesOf(campaigns, campaignValues, (name) => ({ name: campaignName(name), href: null })),
    byHour: everyHour(hours, firstMs, toMs),
  };
}

/** Also those in which nothing happened. */
function everyHour(rows: readonly (Steps & { readonly hour: Date })[], firstMs: number, toMs: number) {
  const byTime = new Map(rows.map(({ hour, ...steps }) => [hour.getTime(), steps]));
  const none: Steps = { clicks: 0, starts: 0, checkouts: 0, paid: 0, delivered: 0, refunded: 0 };
  const hours: (Steps & { readonly atMs: number })[] = [];
  for (let atMs = firstMs; atMs < toMs; atMs += HOUR_MS) hours.push({ atMs, ...(byTime.get(atMs) ?? none) });
  return hours;
}

function sums({ tables: { funnelHourly: f } }: Database) {
  const sum = (column: PgColumn) => sql<number>`sum(${column})`.mapWith(Number);
  return {
    clicks: sum(f.clicks),
    starts: sum(f.starts),
    checkouts: sum(f.checkouts),
    paid: sum(f.paid),
    delivered: sum(f.delivered),
    refunded: sum(f.refunded),
  };
}

interface Value<K> {
  readonly key: K;
  readonly currency: string;
  readonly valueMinor: number;
}

function values<C extends PgColumn>(db: Database, key: C, where: SQL | undefined) {
  const { funnelHourly: f } = db.tables;
  return db
    .select({ key, currency: f.currency, valueMinor: sql<number>`sum(${f.valueMinor})`.mapWith(Number) })
    .from(f)
    .where(and(where, ne(f.currency, "")))
    .groupBy(key, f.currency)
    .orderBy(f.currency);
}

function linesOf<K>(
  steps: readonly (Steps & { readonly key: K })[],
  values: readonly Value<K>[],
  nameOf: (key: K) => Pick<FunnelLine, "name" | "href">,
): FunnelLine[] {
  return steps
    .map(({ key, ...counts }) => ({
      ...nameOf(key),
      ...counts,
      values: values
        .filter((value) => value.key === key && value.valueMinor !== 0)
        .map(({ valueMinor, currency }) => moneyText(valueMinor, currency)),
    }))
    .sort((a, b) => b.paid - a.paid || b.clicks - a.clicks || (a.name < b.name ? -1 : 1));
}

function totalOf(steps: readonly Steps[], values: readonly Value<number>[]): FunnelLine {
  const sum = (step: keyof Steps) => steps.reduce((total, counts) => total + counts[step], 0);
  const byCurrency = new Map<string, number>();
  for (const { currency, valueMinor } of values) {
    byCurrency.set(currency, (byCurrency.get(currency) ?? 0) + valueMinor);
  }
  return {
    name: "All",
    href: null,
    clicks: sum("clicks"),
    starts: sum("starts"),
    checkouts: sum("checkouts"),
    paid: sum("paid"),
    delivered: sum("delivered"),
    refunded: sum("refunded"),
    values: [...byCurrency]
      .filter(([, minor]) => minor !== 0)
      .map(([currency, minor]) => moneyText(minor, currency)),
  };
}

function campaignName(campaign: string): string {
  if (campaign === "") return "(none)";
  return campaign === OTHER_CAMPAIGNS ? "(all others)" : campaign;
}
