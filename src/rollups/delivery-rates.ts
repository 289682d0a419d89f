import { and, eq, gte, lt, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database, RawNumber } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import { bucketNumber, bucketStart } from "./bucket.ts";
import type { RouteMinutes } from "./news.ts";
import type { Throttle } from "./throttle.ts";

/** Rows in one insert. */
const CHUNK = 500;

type RateRow = Tables["deliveryRates"]["$inferInsert"];

/** Counts a route's requests again, minute by minute, an hour at a time, and the hours that these minutes lie in. */
export async function recountRoute(db: Database, minutes: RouteMinutes, throttle: Throttle): Promise<void> {
  const firstHourMs = bucketStart(minutes.fromMs, HOUR_MS);
  for (let hourMs = firstHourMs; hourMs < minutes.toMs; hourMs += HOUR_MS) {
    const from = Math.max(minutes.fromMs, hourMs);
    const to = Math.min(minutes.toMs, hourMs + HOUR_MS);
    const rows = await throttle(() => countMinutes(db, minutes, from, to));
    if (rows.length > 0) await throttle(() => replaceMinutes(db, minutes, { from, to, hourMs }, rows));
  }
}

async function countMinutes(
  { tables, dialect, ...db }: Database,
  { destination, route }: RouteMinutes,
  fromMs: number,
  toMs: number,
): Promise<RateRow[]> {
  const minute = bucketNumber({ dialect }, sql`started_at`, MINUTE_MS);
  const rows = await db.rows<
    Record<"minute" | "requests" | "failures" | "delivered" | "duration_ms", RawNumber>
  >(sql`
    select ${minute} as minute, count(*) as requests,
      sum(case when outcome = 'delivered' then 0 else 1 end) as failures,
      sum(case when outcome = 'delivered' then events else 0 end) as delivered, sum(duration_ms) as duration_ms
    from ${tables.outboxAttempts}
    where destination = ${destination} and route = ${route}
      and started_at >= ${dialect.instant(new Date(fromMs))} and started_at < ${dialect.instant(new Date(toMs))}
    group by 1`);
  return rows.map((row) => ({
    unit: "minute",
    at: new Date(Number(row.minute) * MINUTE_MS),
    destination,
    route,
    requests: Number(row.requests),
    failures: Number(row.failures),
    delivered: Number(row.delivered),
    durationMs: Number(row.duration_ms),
  }));
}

/** In one transaction: whoever reads sees the old counts or the new ones. */
async function replaceMinutes(
  db: Database,
  { destination, route }: RouteMinutes,
  { from, to, hourMs }: { readonly from: number; readonly to: number; readonly hourMs: number },
  rows: readonly RateRow[],
): Promise<void> {
  const { deliveryRates: rates } = db.tables;
  const isOf = (unit: "minute" | "hour", fromMs: number, toMs: number) =>
    and(
      eq(rates.unit, unit),
      gte(rates.at, new Date(fromMs)),
      lt(rates.at, new Date(toMs)),
      eq(rates.destination, destination),
      eq(rates.route, route),
    );
  await db.transaction(async (tx) => {
    await tx.delete(rates).where(isOf("minute", from, to));
    for (let i = 0; i < rows.length; i += CHUNK) await tx.insert(rates).values(rows.slice(i, i + CHUNK));
    const sum = (column: PgColumn) => sql<number>`sum(${column})`.mapWith(Number);
    const [hour] = await tx
      .select({
        requests: sum(rates.requests),
        failures: sum(rates.failures),
        delivered: sum(rates.delivered),
        durationMs: sum(rates.durationMs),
      })
      .from(rates)
      .where(isOf("minute", hourMs, hourMs + HOUR_MS));
    if (!hour) return;
    await tx.delete(rates).where(isOf("hour", hourMs, hourMs + HOUR_MS));
    await tx.insert(rates).values({ unit: "hour", at: new Date(hourMs), destination, route, ...hour });
  });
}

/** Minutes are kept for some days only: weeks are read by the hour. */
export async function forgetMinutes(db: Database, olderThanMs: number): Promise<void> {
  const { deliveryRates: rates } = db.tables;
  await db.transaction(async (tx) => {
    await tx.delete(rates).where(and(eq(rates.unit, "minute"), lt(rates.at, new Date(olderThanMs))));
  });
}
