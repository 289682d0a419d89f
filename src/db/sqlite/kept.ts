import type { Database as SqliteClient, Statement } from "bun:sqlite";
import type { SQL } from "drizzle-orm";
import { filled, type Values } from "../kept.ts";
import { type Parameter, sqlDialect } from "./rows.ts";

/** Runs kept statements on a connection: each is prepared once. */
export function createKeptStatements(client: SqliteClient) {
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
    all(kept: SQL, values: Values): unknown[] {
      const { statement, parameters } = planOf(kept);
      // Drizzle says `unknown`; it has encoded them for this driver.
      return statement.all(...(filled(parameters, values) as Parameter[]));
    },
    close() {
      for (const { statement } of plans.values()) statement.finalize();
    },
  };
}
