import { and, eq, gte, isNotNull, sql } from "drizzle-orm";
import type { PoolLine } from "../../../views/ops/pool-data.ts";
import type { Database } from "../../db/database.ts";
import { formatRoute } from "../../outbox/routes.ts";
import { HOUR_MS } from "../../platform/durations.ts";
import type { PoolView } from "../../pools/pool-view.ts";
import { bucketStart } from "../../rollups/bucket.ts";
import { instantOfWall, wallText } from "../zone.ts";

/** Pools as the list shows them, with the clicks since midnight on the operator's clock. */
export async function poolLines(
  db: Database,
  pools: readonly PoolView[],
  { nowMs, zone }: { readonly nowMs: number; readonly zone: string },
): Promise<PoolLine[]> {
  const midnightMs = instantOfWall(`${wallText(nowMs, zone).slice(0, 10)}T00:00`, zone) ?? nowMs;
  // In some zones midnight lies within an hour of those that are counted: that one counts whole.
  const today = await clicksSince(db, bucketStart(midnightMs, HOUR_MS));
  const paused = await pausedRoutes(db);
  return pools.map((pool) => ({
    id: pool.id,
    slug: pool.slug,
    name: pool.name,
    enabled: pool.enabled,
    tracked: pool.meta_tracking_enabled,
    pixel: pool.meta_pixel_id,
    testCode: pool.meta_test_event_code,
    paused: paused.has(formatRoute(pool.meta_pixel_id ?? "", pool.meta_test_event_code)),
    gated: pool.meta_cloaker_enabled,
    bots: pool.bots.map(({ username, enabled }) => (enabled ? `@${username}` : `@${username} (off)`)),
    today: today.get(String(pool.id)) ?? 0,
    visits: pool.total_redirects,
  }));
}

/** Of Meta's routes, those of which nothing is sent until somebody acts. */
async function pausedRoutes(db: Database): Promise<ReadonlySet<string>> {
  const { outboxRoutes } = db.tables;
  const rows = await db
    .select({ route: outboxRoutes.route })
    .from(outboxRoutes)
    .where(and(eq(outboxRoutes.destination, "meta"), isNotNull(outboxRoutes.pausedAt)));
  return new Set(rows.map(({ route }) => route));
}

/** Out of `funnel_hourly`, where the dispatcher's process counts them: a day's rows, whatever the traffic. */
async function clicksSince(db: Database, fromMs: number): Promise<Map<string, number>> {
  const { funnelHourly: f } = db.tables;
  const rows = await db
    .select({ key: f.key, clicks: sql<number>`coalesce(sum(${f.clicks}), 0)`.mapWith(Number) })
    .from(f)
    .where(and(eq(f.dimension, "pool"), gte(f.hour, new Date(fromMs))))
    .groupBy(f.key);
  return new Map(rows.map(({ key, clicks }) => [key, clicks]));
}
