import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber, Tx } from "../db/database.ts";

/**
 * Changes the rows of `outbox_progress` whose ids a select finds; it locks them, or they are locked already. Answers their
 * ids. Two statements: with statistics of a time when the table was empty, Postgres would compare every row with every one
 * that was found, for a minute and more.
 */
export async function changeFound(
  tx: Tx,
  { dialect }: Database,
  found: SQL,
  set: SQL,
): Promise<readonly number[]> {
  const rows = await tx.rows<{ id: RawNumber }>(found);
  const ids = rows.map(({ id }) => Number(id));
  if (ids.length === 0) return ids;
  await tx.rows(sql`update outbox_progress set ${set} where ${dialect.anyId(sql`id`, dialect.idList(ids))}`);
  return ids;
}
