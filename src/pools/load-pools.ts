import { and, eq, gt, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { ensureDatabaseId } from "../db/database-id.ts";
import type { Pool } from "./pool.ts";

/** All enabled pools with their eligible bots, and the database that they are of. */
export async function loadPools(db: Database): Promise<Pool[]> {
  const { pools, bots, poolBots } = db.tables;
  const [database, poolRows, botRows] = await Promise.all([
    ensureDatabaseId(db),
    db.select().from(pools).where(eq(pools.enabled, true)),
    db
      .select({
        poolId: poolBots.poolId,
        poolBotId: poolBots.id,
        botId: bots.id,
        username: bots.username,
        weight: poolBots.weight,
        totalRedirects: sql<number>`coalesce(${poolBots.totalRedirects}, 0)`.mapWith(Number),
      })
      .from(poolBots)
      .innerJoin(bots, eq(bots.id, poolBots.botId))
      .where(
        and(
          eq(poolBots.enabled, true),
          eq(bots.enabled, true),
          eq(bots.healthy, true),
          gt(poolBots.weight, 0),
        ),
      )
      .orderBy(poolBots.id),
  ]);
  const botsOf = Map.groupBy(botRows, ({ poolId }) => poolId);
  return poolRows.map((row) => ({
    id: row.id,
    database,
    slug: row.slug,
    name: row.name,
    strategy: row.strategy,
    locale: row.locale,
    autoContinueMs: row.autoContinueMs,
    captureParams: row.captureParams,
    metaPixelId: row.metaTrackingEnabled ? row.metaPixelId : null,
    metaTestEventCode: row.metaTestEventCode,
    utmifyPixelId: row.utmifyPixelId,
    gate: {
      param:
        row.metaCloakerEnabled && row.metaCloakerParamValue !== null
          ? { name: row.metaCloakerParamName, value: row.metaCloakerParamValue }
          : null,
      blockAutomated: row.blockAutomated,
    },
    bots: (botsOf.get(row.id) ?? []).map(({ poolId: _, ...bot }) => bot),
  }));
}
