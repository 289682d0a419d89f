import { and, eq, gte, inArray, lt, sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Database } from "../db/database.ts";
import { HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { bucketStart } from "../rollups/bucket.ts";
import type { TimeRange } from "./time-range.ts";

/** Events delivered in a minute or an hour. */
interface DeliveryPoint {
  readonly atMs: number;
  readonly meta: number;
  readonly telegram: number;
  /** Requests that did not go through. */
  readonly failures: number;
}

interface RouteRate {
  readonly destination: string;
  readonly route: string;
  readonly requests: number;
  readonly failures: number;
  readonly delivered: number;
  readonly meanMs: number;
}

export interface DeliveryFacts {
  /** One for every minute or hour of the span, also where nothing happened. */
  readonly points: readonly DeliveryPoint[];
  readonly routes: readonly RouteRate[];
  /** Of the busiest routes, hour by hour. */
  readonly hours: readonly RouteHour[];
}

/** What a route sent in an hour. */
export interface RouteHour {
  readonly destination: string;
  readonly route: string;
  readonly at: Date;
  readonly delivered: number;
  readonly failures: number;
}

const MOST_ROUTES = 30;
/** Shown hour by hour. */
const BUSIEST_ROUTES = 8;

/** Reads `delivery_rates` only. */
export async function readDeliveries(
  db: Database,
  { fromMs, toMs, unit }: TimeRange,
): Promise<DeliveryFacts> {
  const { deliveryRates: r } = db.tables;
  const widthMs = unit === "minute" ? MINUTE_MS : HOUR_MS;
  const firstMs = bucketStart(fromMs, widthMs);
  const isInSpan = and(eq(r.unit, unit), gte(r.at, new Date(firstMs)), lt(r.at, new Date(toMs)));
  const sum = (column: PgColumn) => sql<number>`sum(${column})`.mapWith(Number);
  const counts = {
    requests: sum(r.requests),
    failures: sum(r.failures),
    delivered: sum(r.delivered),
    durationMs: sum(r.durationMs),
  };
  const rows = await db
    .select({ at: r.at, destination: r.destination, ...counts })
    .from(r)
    .where(isInSpan)
    .groupBy(r.at, r.destination);
  const routes = await db
    .select({ destination: r.destination, route: r.route, ...counts })
    .from(r)
    .where(isInSpan)
    .groupBy(r.destination, r.route)
    .orderBy(sql`sum(${r.delivered}) desc`, r.destination, r.route)
    .limit(MOST_ROUTES);
  await yieldToEventLoop();
  const hours = await readHours(db, routes.slice(0, BUSIEST_ROUTES), bucketStart(fromMs, HOUR_MS), toMs);
  return {
    hours,
    points: pointsOf(rows, firstMs, toMs, widthMs),
    routes: routes.map(({ durationMs, ...route }) => ({
      ...route,
      meanMs: route.requests > 0 ? Math.round(durationMs / route.requests) : 0,
    })),
  };
}

async function readHours(
  db: Database,
  routes: readonly Pick<RouteRate, "destination" | "route">[],
  fromMs: number,
  toMs: number,
): Promise<RouteHour[]> {
  const { deliveryRates: r } = db.tables;
  if (routes.length === 0) return [];
  const names = routes.map(({ route }) => route);
  const rows = await db
    .select({
      destination: r.destination,
      route: r.route,
      at: r.at,
      delivered: r.delivered,
      failures: r.failures,
    })
    .from(r)
    .where(
      and(eq(r.unit, "hour"), gte(r.at, new Date(fromMs)), lt(r.at, new Date(toMs)), inArray(r.route, names)),
    )
    .orderBy(r.at);
  const isBusy = (row: RouteHour) =>
    routes.some(({ destination, route }) => destination === row.destination && route === row.route);
  return rows.filter(isBusy);
}

function pointsOf(
  rows: readonly {
    readonly at: Date;
    readonly destination: string;
    readonly delivered: number;
    readonly failures: number;
  }[],
  firstMs: number,
  toMs: number,
  widthMs: number,
): DeliveryPoint[] {
  const byTime = new Map<number, DeliveryPoint>();
  for (let atMs = firstMs; atMs < toMs; atMs += widthMs) {
    byTime.set(atMs, { atMs, meta: 0, telegram: 0, failures: 0 });
  }
  for (const { at, destination, delivered, failures } of rows) {
    const point = byTime.get(at.getTime());
    if (!point) continue;
    const key = destination === "meta" ? "meta" : "telegram";
    byTime.set(point.atMs, { ...point, [key]: delivered, failures: point.failures + failures });
  }
  return [...byTime.values()];
}
