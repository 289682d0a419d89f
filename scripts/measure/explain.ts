import { type SQL, sql } from "drizzle-orm";
import type { Database, Reader } from "../../src/db/database.ts";

/** The same database, which prints how it goes about every hand-written statement before it runs it. */
export function explaining(db: Database): Database {
  return {
    ...db,
    rows: explained(db, db),
    transaction: (work) => db.transaction((tx) => work({ ...tx, rows: explained(db, tx) })),
  };
}

/** Asks on a connection for reading: what is explained is not run there. */
function explained(db: Database, reader: Reader): Reader["rows"] {
  const asked = db.dialect.name === "postgres" ? sql`explain (costs off) ` : sql`explain query plan `;
  return async <T>(statement: SQL) => {
    const lines = await db.rows<Record<string, unknown>>(sql`${asked}${statement}`);
    console.error(`\n${lines.map((line) => line.detail ?? line["QUERY PLAN"]).join("\n")}`);
    return reader.rows<T>(statement);
  };
}
