import { Database as SqliteClient } from "bun:sqlite";
import { renameSync } from "node:fs";
import type { Reader } from "../database.ts";
import type { Tables } from "../define-schema.ts";
import { migrateSqlite } from "./migrate.ts";
import { queries } from "./queries.ts";
import * as tables from "./tables.ts";

/** A SQLite database that nobody else can read or write meanwhile. */
export interface ExclusiveDatabase extends Pick<Reader, "select" | "rows"> {
  readonly tables: Tables;
  /** Brings it up to date. */
  migrate(): void;
  /** Gives the file another name, with all that is in its log. Nothing but `close` may follow. */
  rename(path: string): void;
  close(): void;
}

/** @throws SQLITE_BUSY where anybody has the file open, who only reads it too */
export function openExclusively(path: string): ExclusiveDatabase {
  const client = new SqliteClient(path, { readwrite: true, strict: true });
  try {
    client.run("pragma locking_mode = exclusive");
    // The locks are taken with the first transaction, and kept until the connection closes.
    client.run("begin immediate");
    client.run("commit");
  } catch (error) {
    client.close();
    throw error;
  }
  const { reader, close } = queries(client);
  return {
    select: reader.select,
    rows: reader.rows,
    tables,
    migrate: () => migrateSqlite(client),
    rename(to) {
      // Brings the log in and removes it: it would stay behind under the old name.
      client.run("pragma journal_mode = delete");
      renameSync(path, to);
    },
    close() {
      close();
      client.close();
    },
  };
}
