import { sql } from "drizzle-orm";
import type { PgColumn } from "drizzle-orm/pg-core";
import type { Tx } from "./database.ts";

/** Whether any row names this number in one of these columns. */
export async function isReferenced(tx: Tx, columns: readonly PgColumn[], id: number): Promise<boolean> {
  for (const column of columns) {
    const found = await tx.rows(sql`select 1 from ${column.table} where ${column} = ${id} limit 1`);
    if (found.length > 0) return true;
  }
  return false;
}
