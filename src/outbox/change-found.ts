import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber, Tx } from "../db/database.ts";

/**
 * Changes the rows of `outbox_progress` whose ids a select finds and locks, and answers how many. Two statements: with
 * statistics of a time when the table was empty, Postgres would compare every row with every one that was found.
 */
export async function changeFound(tx: Tx, { dialect }: Database, found: SQL, set: SQL): Promise<number> {
  const rows = await tx.rows<{ id: RawNumber }>(found);
  if (rows.length === 0) return 0;
  const ids = dialect.idList(rows.map(({ id }) => Number(id)));
  await tx.rows(sql`update outbox_progress set ${set} where ${dialect.anyId(sql`id`, ids)}`);
  return rows.length;
}
