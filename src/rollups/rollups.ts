import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { DAY_MS, HOUR_MS } from "../platform/durations.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import { bucketStart } from "./bucket.ts";
import { forgetMinutes, recountRoute } from "./delivery-rates.ts";
import { DIMENSIONS, type FunnelCount, foldCampaigns } from "./funnel-tally.ts";
import { createHourCounter } from "./hour-counter.ts";
import { findNews } from "./news.ts";
import { createThrottle } from "./throttle.ts";
import { NO_WATERMARKS, progressText, readCountedAt, readWatermarks } from "./watermarks.ts";

const EVERY_TEN_SECONDS = "*/10 * * * * *";
/** Of several processes one counts at a time: its lease ends when it was silent for this long. */
const LEASE_MS = 9_000;
/** The row of `settings` that says since when the lease is held, and how far the counting is. */
export const ROLLUPS = "rollups";
/** Campaigns kept by name in an hour. */
const MOST_CAMPAIGNS = 100;
const MINUTES_KEPT_MS = 3 * DAY_MS;
const CHUNK = 200;

/**
 * Keeps `funnel_hourly` and `delivery_rates`: hours and minutes in which anything was written are counted again from
 * the rows themselves. Nothing is ever added up twice, whoever counts and however often it is cut short. A run answers
 * whether this process had the lease.
 */
export function createRollups(deps: { readonly db: Database; readonly log: Log }): Periodic<boolean> {
  const { db } = deps;
  const hours = createHourCounter(db);
  let ownWatermarks = NO_WATERMARKS;
  const job = {
    schedule: EVERY_TEN_SECONDS,
    failed: "the console's numbers could not be counted",
    worked: "the console's numbers are counted again",
  };
  return periodic(deps, job, async (signal) => {
    const lease = await takeLease(db);
    if (lease === null) return false;
    const throttle = createThrottle(signal);
    const watermarks = readWatermarks(lease.progress);
    const news = await findNews(db, watermarks, lease.nowMs, throttle);
    for (const route of news.routes) await recountRoute(db, route, throttle);
    if (!Bun.deepEquals(watermarks, ownWatermarks)) hours.forget();
    for (const hour of news.hours) {
      const counts = await hours.count(hour, lease.nowMs, throttle);
      await replaceHour(db, hour.hourMs, foldCampaigns(counts, MOST_CAMPAIGNS));
    }
    // An hour is the sum of its minutes: where some are looked at again, as after days of sleep, all are still needed.
    const hoursInHand = news.routes.map(({ fromMs }) => bucketStart(fromMs, HOUR_MS));
    await forgetMinutes(db, Math.min(lease.nowMs - MINUTES_KEPT_MS, ...hoursInHand));
    ownWatermarks = news.watermarks;
    await writeProgress(db, progressText(ownWatermarks, lease.nowMs));
    return true;
  });
}

/** Takes the lease by the database's clock; null where another process has it, for no longer than that by any clock. */
async function takeLease(db: Database): Promise<{ progress: string; nowMs: number } | null> {
  const { settings } = db.tables;
  const { now, plusMs } = db.dialect;
  const at = sql<Date>`${now}`;
  return db.transaction(async (tx) => {
    const empty = JSON.stringify(NO_WATERMARKS);
    const begun = await tx
      .insert(settings)
      .values({ key: ROLLUPS, value: empty, updatedAt: at })
      .onConflictDoNothing()
      .returning({ key: settings.key });
    if (begun.length > 0) return { progress: empty, nowMs: tx.nowMs() };
    const [lease] = await tx
      .update(settings)
      .set({ updatedAt: at })
      .where(sql`${settings.key} = ${ROLLUPS}
        and (${settings.updatedAt} <= ${plusMs(now, -LEASE_MS)} or ${settings.updatedAt} > ${plusMs(now, LEASE_MS)})`)
      .returning({ progress: settings.value });
    return lease ? { progress: lease.progress, nowMs: tx.nowMs() } : null;
  });
}

async function writeProgress(db: Database, progress: string): Promise<void> {
  const { settings } = db.tables;
  await db.transaction(async (tx) => {
    await tx
      .update(settings)
      .set({ value: progress, updatedAt: sql<Date>`${db.dialect.now}` })
      .where(eq(settings.key, ROLLUPS));
  });
}

/** In one transaction with a sign that the lease is still held. */
async function replaceHour(db: Database, hourMs: number, counts: readonly FunnelCount[]): Promise<void> {
  const { funnelHourly, settings } = db.tables;
  const hour = new Date(hourMs);
  await db.transaction(async (tx) => {
    // All dimensions, named, so that the index finds the hour.
    const isOfHour = and(inArray(funnelHourly.dimension, [...DIMENSIONS]), eq(funnelHourly.hour, hour));
    await tx.delete(funnelHourly).where(isOfHour);
    for (let i = 0; i < counts.length; i += CHUNK) {
      await tx.insert(funnelHourly).values(counts.slice(i, i + CHUNK).map((count) => ({ hour, ...count })));
    }
    await tx
      .update(settings)
      .set({ updatedAt: sql<Date>`${db.dialect.now}` })
      .where(eq(settings.key, ROLLUPS));
  });
}

/** Up to when everything is counted, by the last count that came to its end; null before the first one. */
export async function countedAt(db: Database): Promise<Date | null> {
  const { settings } = db.tables;
  const [row] = await db
    .select({ progress: settings.value, at: settings.updatedAt })
    .from(settings)
    .where(eq(settings.key, ROLLUPS));
  if (row === undefined) return null;
  // An earlier version, whose dispatcher may run beside us, leaves only when it began.
  const wasCounted = readWatermarks(row.progress).sessions.newestAtMs > 0;
  return readCountedAt(row.progress) ?? (wasCounted ? row.at : null);
}
