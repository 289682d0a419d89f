import { hostname } from "node:os";
import { eq, lt, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";

/** A dispatcher gives a sign of life every few seconds; longer silence means that it is gone. */
export const ALIVE_MS = 60_000;

/** A dispatcher that gave no sign of life for so long was killed; nobody needs to see it any more. */
const FORGOTTEN_AFTER_MS = 86_400_000;

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

/** Takes the sign of life back: this dispatcher stopped in good order. */
export async function withdraw(db: Database, id: string): Promise<void> {
  const { dispatchers } = db.tables;
  await db.transaction(async (tx) => {
    await tx.delete(dispatchers).where(eq(dispatchers.id, id));
  });
}
