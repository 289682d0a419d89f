import { sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { LONGEST_THROTTLE_MS } from "./back-off.ts";
import { lockRoutes } from "./route-rows.ts";

/** What was written so much later than now was written by a clock that was ahead. Milliseconds. */
const SLACK_MS = 60_000;

/** Ends pauses that nobody can have asked for, and those asked for in the future: a clock that was ahead wrote them. */
export async function endOverlongPauses(db: Database): Promise<void> {
  const { outboxRoutes } = db.tables;
  const { now, plusMs } = db.dialect;
  const isOverlong = sql`(${outboxRoutes.throttledUntil} > ${plusMs(now, LONGEST_THROTTLE_MS)}
    or (${outboxRoutes.throttledUntil} > ${now} and ${outboxRoutes.updatedAt} > ${plusMs(now, SLACK_MS)}))`;
  const overlong = await db.select({ id: outboxRoutes.id }).from(outboxRoutes).where(isOverlong).limit(1);
  if (overlong.length === 0) return;
  await db.transaction(async (tx) => {
    await lockRoutes(tx, db, isOverlong);
    await tx.update(outboxRoutes).set({ throttledUntil: null }).where(isOverlong);
    await tx.notify("outbox");
  });
}
