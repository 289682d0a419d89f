import { sql } from "drizzle-orm";
import type { Database, RawNumber } from "./database.ts";

/** What the database's own clock shows now, asked and not reckoned. Unix milliseconds. */
export async function databaseNowMs(db: Database): Promise<number> {
  const { epochMs, now } = db.dialect;
  const [clock] = await db.rows<{ ms: RawNumber }>(sql`select ${epochMs(now)} as ms`);
  return Number(clock?.ms);
}
