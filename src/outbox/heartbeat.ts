import { hostname } from "node:os";
import { and, eq, gt, lt, lte, type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import { DAY_MS } from "../platform/durations.ts";

/** A dispatcher gives a sign of life every few seconds; longer silence means that it is gone. */
export const ALIVE_MS = 60_000;

/** A dispatcher that gave no sign of life for so long was killed; nobody needs to see it any more. */
const FORGOTTEN_AFTER_MS = DAY_MS;

/** Says in the table `dispatchers` that this one lives, by the database's clock; forgets those long gone. */
export async function beat(db: Database, id: string): Promise<void> {
  const { dispatchers } = db.tables;
  const { now, plusMs } = db.dialect;
  const at = sql<Date>`${now}`;
  await db.transaction(async (tx) => {
    await tx
      .insert(dispatchers)
      .values({ id, host: hostname(), pid: process.pid, startedAt: at, heartbeatAt: at })
      .onConflictDoUpdate({ target: dispatchers.id, set: { heartbeatAt: at } });
    await tx.delete(dispatchers).where(lt(dispatchers.heartbeatAt, sql`${plusMs(now, -FORGOTTEN_AFTER_MS)}`));
  });
}

/** Which of `dispatchers` live. A sign from the future tells nothing: a clock that was ahead wrote it. */
export function isAlive(db: Database): SQL | undefined {
  const { dispatchers } = db.tables;
  const { now, plusMs } = db.dialect;
  return and(gt(dispatchers.heartbeatAt, sql`${plusMs(now, -ALIVE_MS)}`), isNoFuture(db));
}

/** How long ago any dispatcher gave its last sign of life; null: never, or none that can be believed. */
export async function lastSignMs(db: Database): Promise<number | null> {
  const { epochMs, now } = db.dialect;
  const [row] = await db.rows<{ ms: RawNumber | null }>(sql`
    select ${epochMs(now)} - ${epochMs(sql`max(heartbeat_at)`)} as ms from ${db.tables.dispatchers}
    where ${isNoFuture(db)}`);
  return row?.ms == null ? null : Math.max(0, Number(row.ms));
}

function isNoFuture({ dialect: { now, plusMs }, tables: { dispatchers } }: Database): SQL {
  return lte(dispatchers.heartbeatAt, sql`${plusMs(now, ALIVE_MS)}`);
}

/** Takes the sign of life back: this dispatcher stopped in good order. */
export async function withdraw(db: Database, id: string): Promise<void> {
  const { dispatchers } = db.tables;
  await db.transaction(async (tx) => {
    await tx.delete(dispatchers).where(eq(dispatchers.id, id));
  });
}
