import { asc, eq, gt, inArray, type SQL, sql } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Locale } from "../db/vocabulary.ts";
import { type AskedPage, type Page, pageOf } from "../platform/pagination.ts";
import { withoutAt } from "./bot-rules.ts";

export type BotRow = Tables["bots"]["$inferSelect"];

/** A bot as operators see it, ready for JSON: its token shows only as `has_token`. */
export interface BotView {
  readonly id: number;
  readonly username: string;
  /** Telegram's number of the bot, known once its token was verified. */
  readonly telegram_id: string | null;
  readonly has_token: boolean;
  /** For invoices in money; Stars need none. */
  readonly has_payment_token: boolean;
  readonly enabled: boolean;
  readonly healthy: boolean;
  readonly health_reason: string | null;
  readonly locale: Locale | null;
  readonly welcome: string | null;
  /** Slugs of the pools that send visitors to it. */
  readonly pools: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** That a bot has this name, given with or without `@`: Telegram ignores case, as the database's language knows it. */
export function isBotNamed({ bots }: Tables, username: string): SQL {
  return sql`lower(${bots.username}) = lower(${withoutAt(username)})`;
}

/** The row of the bot of that name; undefined where there is none. */
export async function findBotRow(
  reader: Reader,
  tables: Tables,
  username: string,
): Promise<BotRow | undefined> {
  const [row] = await reader.select().from(tables.bots).where(isBotNamed(tables, username));
  return row;
}

/** The same, locked until the transaction ends: who names or changes it meanwhile is waited for, or waits. */
export async function lockBotRow(
  tx: Tx,
  { tables, dialect }: Database,
  username: string,
): Promise<BotRow | undefined> {
  const look = () => dialect.locked(tx.select().from(tables.bots).where(isBotNamed(tables, username)));
  const [row] = await look();
  if (row) return row;
  // Who was waited for may have given the name to another bot, which that look did not see.
  const [again] = await look();
  return again;
}

/** The bot of that name, or null. */
export async function findBot(reader: Reader, tables: Tables, username: string): Promise<BotView | null> {
  const row = await findBotRow(reader, tables, username);
  if (row === undefined) return null;
  const [view] = await botViews(reader, tables, [row]);
  return view ?? null;
}

/** The bot of that number with its row, or null. */
export async function findBotById(
  reader: Reader,
  tables: Tables,
  id: number,
): Promise<{ readonly row: BotRow; readonly view: BotView } | null> {
  const [row] = await reader.select().from(tables.bots).where(eq(tables.bots.id, id));
  if (row === undefined) return null;
  const [view] = await botViews(reader, tables, [row]);
  return view === undefined ? null : { row, view };
}

/** Bots in the order they were made. */
export async function listBots(
  reader: Reader,
  tables: Tables,
  { cursor, limit }: AskedPage,
): Promise<Page<BotView>> {
  const { bots } = tables;
  const rows = await reader
    .select()
    .from(bots)
    .where(gt(bots.id, cursor ?? 0))
    .orderBy(asc(bots.id))
    .limit(limit + 1);
  const views = await botViews(reader, tables, rows);
  return pageOf(views, limit, (view) => view.id);
}

async function botViews(reader: Reader, tables: Tables, rows: readonly BotRow[]): Promise<BotView[]> {
  if (rows.length === 0) return [];
  const { pools, poolBots } = tables;
  const ids = rows.map(({ id }) => id);
  const memberships = await reader
    .select({ botId: poolBots.botId, slug: pools.slug })
    .from(poolBots)
    .innerJoin(pools, eq(pools.id, poolBots.poolId))
    .where(inArray(poolBots.botId, ids))
    .orderBy(asc(poolBots.id));
  return rows.map((row) => ({
    id: row.id,
    username: row.username,
    telegram_id: row.telegramId,
    has_token: row.token !== null,
    has_payment_token: row.paymentToken !== null,
    enabled: row.enabled,
    healthy: row.healthy,
    health_reason: row.healthReason,
    locale: row.locale,
    welcome: row.welcome,
    pools: memberships.filter(({ botId }) => botId === row.id).map(({ slug }) => slug),
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }));
}
