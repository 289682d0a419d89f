import { asc, eq, gt, inArray, type SQL } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Locale, Strategy } from "../db/vocabulary.ts";
import { type AskedPage, type Page, pageOf } from "../platform/pagination.ts";

export type PoolRow = Tables["pools"]["$inferSelect"];

/** A pool as operators see it, ready for JSON: the access token shows only as `has_access_token`. */
export interface PoolView {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly strategy: Strategy;
  readonly locale: Locale | null;
  readonly auto_continue_ms: number | null;
  readonly capture_params: readonly string[];
  readonly meta_tracking_enabled: boolean;
  readonly meta_pixel_id: string | null;
  readonly has_access_token: boolean;
  readonly meta_test_event_code: string | null;
  readonly meta_cloaker_enabled: boolean;
  readonly meta_cloaker_param_name: string;
  readonly meta_cloaker_param_value: string | null;
  readonly block_automated: boolean;
  readonly utmify_pixel_id: string | null;
  readonly send_lead: boolean;
  readonly send_initiate_checkout: boolean;
  readonly total_redirects: number;
  readonly bots: readonly PoolBotView[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** A bot as its pool has it. */
export interface PoolBotView {
  readonly id: number;
  readonly username: string;
  readonly weight: number;
  readonly enabled: boolean;
  readonly total_redirects: number;
}

/**
 * A pool, or what changed of one, for somebody who may read but need not get through the gate: the value that its links
 * carry is left out.
 */
export function withoutGateValue<T extends object>(view: T): T {
  return "meta_cloaker_param_value" in view ? { ...view, meta_cloaker_param_value: null } : view;
}

/** The pool of that slug, or null. */
export async function findPool(reader: Reader, tables: Tables, slug: string): Promise<PoolView | null> {
  const [view] = await poolViews(reader, tables, eq(tables.pools.slug, slug), 1);
  return view ?? null;
}

/** The row of the pool of that slug, sealed token included; undefined where there is none. */
export async function findPoolRow(
  reader: Reader,
  { pools }: Tables,
  slug: string,
): Promise<PoolRow | undefined> {
  const [row] = await reader.select().from(pools).where(eq(pools.slug, slug));
  return row;
}

/** The pool of that number, or null. */
export async function findPoolById(reader: Reader, tables: Tables, id: number): Promise<PoolView | null> {
  const [view] = await poolViews(reader, tables, eq(tables.pools.id, id), 1);
  return view ?? null;
}

/** Pools in the order they were made. */
export async function listPools(
  reader: Reader,
  tables: Tables,
  { cursor, limit }: AskedPage,
): Promise<Page<PoolView>> {
  const views = await poolViews(reader, tables, gt(tables.pools.id, cursor ?? 0), limit + 1);
  return pageOf(views, limit, (view) => view.id);
}

async function poolViews(reader: Reader, tables: Tables, condition: SQL, limit: number): Promise<PoolView[]> {
  const { pools, bots, poolBots } = tables;
  const rows = await reader.select().from(pools).where(condition).orderBy(asc(pools.id)).limit(limit);
  if (rows.length === 0) return [];
  const members = await reader
    .select({ member: poolBots, bot: { id: bots.id, username: bots.username } })
    .from(poolBots)
    .innerJoin(bots, eq(bots.id, poolBots.botId))
    .where(
      inArray(
        poolBots.poolId,
        rows.map(({ id }) => id),
      ),
    )
    .orderBy(asc(poolBots.id));
  return rows.map((row) =>
    poolView(
      row,
      members
        .filter(({ member }) => member.poolId === row.id)
        .map(({ member, bot }) => ({
          id: bot.id,
          username: bot.username,
          weight: member.weight,
          enabled: member.enabled,
          total_redirects: member.totalRedirects ?? 0,
        })),
    ),
  );
}

function poolView(row: PoolRow, bots: readonly PoolBotView[]): PoolView {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    enabled: row.enabled,
    strategy: row.strategy,
    locale: row.locale,
    auto_continue_ms: row.autoContinueMs,
    capture_params: row.captureParams,
    meta_tracking_enabled: row.metaTrackingEnabled,
    meta_pixel_id: row.metaPixelId,
    has_access_token: row.metaAccessToken !== null,
    meta_test_event_code: row.metaTestEventCode,
    meta_cloaker_enabled: row.metaCloakerEnabled,
    meta_cloaker_param_name: row.metaCloakerParamName,
    meta_cloaker_param_value: row.metaCloakerParamValue,
    block_automated: row.blockAutomated,
    utmify_pixel_id: row.utmifyPixelId,
    send_lead: row.sendLead,
    send_initiate_checkout: row.sendInitiateCheckout,
    total_redirects: row.totalRedirects ?? 0,
    bots,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
