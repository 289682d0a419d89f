import type { Database as SqliteClient, Statement } from "bun:sqlite";
import type { SQL } from "drizzle-orm";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { fillPlaceholders, type PlaceholderValues } from "../prepared-statement.ts";

export const sqlDialect = new SQLiteSyncDialect({ casing: "snake_case" });

export type Parameter = string | number | bigint | boolean | Uint8Array | null;

/** Runs statements on a connection, each of which is prepared once. */
export function createPreparedStatements(client: SqliteClient) {
  const plans = new Map<SQL, { readonly statement: Statement; readonly parameters: readonly unknown[] }>();

  function planOf(statement: SQL) {
    const known = plans.get(statement);
    if (known) return known;
    const { sql, params } = sqlDialect.sqlToQuery(statement);
    const plan = { statement: client.prepare(sql), parameters: params };
    plans.set(statement, plan);
    return plan;
  }

  return {
    all(statement: SQL, values: PlaceholderValues): unknown[] {
      const plan = planOf(statement);
      // Drizzle says `unknown`; it has encoded them for this driver.
      return plan.statement.all(...(fillPlaceholders(plan.parameters, values) as Parameter[]));
    },
    close() {
      for (const { statement } of plans.values()) statement.finalize();
    },
  };
}
