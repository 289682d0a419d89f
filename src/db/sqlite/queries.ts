import type { Database as SqliteClient } from "bun:sqlite";
import type { SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { QueryBuilder, Reader } from "../database.ts";
import type { PlaceholderValues } from "../prepared-statement.ts";
import { createPreparedStatements, type Parameter, sqlDialect } from "./prepared-statements.ts";

/** What is asked of a connection; `close` lets go of what was prepared on it. */
export function queries(client: SqliteClient): { builder: QueryBuilder; reader: Reader; close(): void } {
  const sqliteBuilder = drizzle({ client, casing: "snake_case" });
  // The builder's half of the cast in `kit.ts`: the methods we use are the same on both dialects.
  const builder = sqliteBuilder as unknown as QueryBuilder;
  const prepared = createPreparedStatements(client);
  return {
    builder,
    reader: {
      select: builder.select.bind(builder),
      selectDistinct: builder.selectDistinct.bind(builder),
      $count: builder.$count.bind(builder),
      // Drizzle says `unknown` of what it has encoded for this driver, and `T` is the caller's word for the rows.
      rows: async <T>(statement: SQL, values?: PlaceholderValues) => {
        if (values) return prepared.all(statement, values) as T[];
        const { sql, params } = sqlDialect.sqlToQuery(statement);
        return client.query<T, Parameter[]>(sql).all(...(params as Parameter[]));
      },
    },
    close: prepared.close,
  };
}
