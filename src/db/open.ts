import { POSTGRES_URL, sqlitePath } from "../config/database-url.ts";
import { codeOf } from "../platform/errors.ts";
import { roomOr, SettingError } from "../platform/setting-error.ts";
import type { Database } from "./database.ts";
import { openSqlite } from "./sqlite/sqlite.ts";

/** What is in the file is not, or not wholly, a database. */
const UNREADABLE = /^SQLITE_(NOTADB|CORRUPT)/;

export interface DatabaseSettings {
  /** `postgres://…`, or a path (optionally `sqlite:…` or `file:…`) to a SQLite file. */
  readonly url: string;
  readonly directUrl?: string | undefined;
  readonly pooler?: "transaction" | undefined;
  /** Of Postgres. */
  readonly maxConnections?: number;
}

/** Opens the database that the URL names. Postgres' driver is loaded only where it is used. @throws SettingError */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  if (POSTGRES_URL.test(settings.url)) {
    const { openPostgres } = await import("./postgres/postgres.ts");
    return openPostgres(settings);
  }
  const path = sqlitePath(settings.url);
  try {
    return openSqlite(path);
  } catch (error) {
    throw new SettingError(`DATABASE_URL: the SQLite file ${path} cannot be opened`, todoOf(error), error);
  }
}

function todoOf(error: unknown): string {
  if (error instanceof Error && UNREADABLE.test(codeOf(error))) {
    return "Let it name Ponte's own file or a new one. Where this is Ponte's, it is damaged: put a backup in its place (docs/operations.md).";
  }
  return roomOr(
    "Let it name a file that Ponte may write, in a folder where it may, or a postgres:// URL. Start Ponte and its commands as the same user, who owns that file.",
    error,
  );
}
