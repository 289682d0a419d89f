import { and, gte, lt, type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import { HOUR_MS } from "../platform/durations.ts";
import { yieldToEventLoop } from "../platform/yield-to-event-loop.ts";
import { hasStatus, type OutboxFilter } from "./filter.ts";

/** Ids from `from` on and below `to`. */
export interface IdWindow {
  readonly from: number;
  readonly to: number;
}

/** Rows that one statement looks at: on SQLite, visitors wait for as long as it takes. */
const WINDOW = 20_000;
/** Waiting rows that are still read all at once. */
const FEW_WAITING = 50_000;
/** Rows are numbered as they are written down; clocks and long transactions are never this far off. */
const SLACK_MS = HOUR_MS;

/**
 * The whole table, or what of it may lie between the filter's times, in pieces that are quickly read, with a breath
 * between them. Times become numbers by looking up some twenty rows: they have no index of their own.
 */
export async function* idWindows(
  db: Database,
  { after, before }: Pick<OutboxFilter, "after" | "before">,
  { direction, below = Number.MAX_SAFE_INTEGER }: { direction: "up" | "down"; below?: number | undefined },
): AsyncGenerator<IdWindow> {
  const all = await knownIds(db);
  if (all === null) return;
  const isLong = all.to - all.from > WINDOW;
  const from = isLong && after ? await firstIdSince(db, all, after.getTime() - SLACK_MS) : all.from;
  const end = isLong && before ? await firstIdSince(db, all, before.getTime() + SLACK_MS) : all.to;
  const to = Math.min(end, below);
  if (direction === "down") {
    for (let at = to; at > from; at -= WINDOW) {
      yield { from: Math.max(from, at - WINDOW), to: at };
      await yieldToEventLoop();
    }
    return;
  }
  for (let at = from; at < to; at += WINDOW) {
    yield { from: at, to: Math.min(to, at + WINDOW) };
    await yieldToEventLoop();
  }
}

/** Whether a row lies in the window. */
export function isInWindow({ tables: { outbox } }: Database, { from, to }: IdWindow): SQL | undefined {
  return and(gte(outbox.id, from), lt(outbox.id, to));
}

async function knownIds(db: Database): Promise<IdWindow | null> {
  const { outboxProgress } = db.tables;
  // Two statements: SQLite finds the ends by index only where they are asked for one by one.
  const [first] = await db.select({ id: sql<number | null>`min(${outboxProgress.id})` }).from(outboxProgress);
  const [last] = await db.select({ id: sql<number | null>`max(${outboxProgress.id})` }).from(outboxProgress);
  return first?.id == null || last?.id == null ? null : { from: Number(first.id), to: Number(last.id) + 1 };
}

/** The first id of a row written at or after that instant, by halving. */
async function firstIdSince(db: Database, all: IdWindow, atMs: number): Promise<number> {
  const { outbox } = db.tables;
  let { from, to } = all;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const [row] = await db
      .select({ id: outbox.id, createdAt: outbox.createdAt })
      .from(outbox)
      .where(and(gte(outbox.id, middle), lt(outbox.id, to)))
      .orderBy(outbox.id)
      .limit(1);
    if (row === undefined || row.createdAt.getTime() >= atMs) to = middle;
    else from = row.id + 1;
  }
  return from;
}

/** Whether so few rows wait that all of them can be read by their own index, which knows no order of ids. */
export async function isFewWaiting(db: Database): Promise<boolean> {
  const { outboxProgress } = db.tables;
  const [counted] = await db.rows<{ n: RawNumber }>(
    sql`select count(*) as n from (select 1 from ${outboxProgress} where ${hasStatus(outboxProgress, "pending")} limit ${FEW_WAITING + 1}) counted`,
  );
  return Number(counted?.n) <= FEW_WAITING;
}
