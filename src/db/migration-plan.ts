import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { sha256Hex } from "../platform/secrets.ts";
import type { RawNumber, Reader } from "./database.ts";

/** Which migrations a database has. */
export const MIGRATIONS_TABLE = "ponte_migrations";

/** What `drizzle/views` makes. */
export const OPERATOR_VIEWS = [
  "outbox",
  "outbox_status",
  "outbox_backlog",
  "outbox_dead",
  "funnel_daily",
  "pool_performance",
] as const;

/** In `settings`: the digest of the views that were made last. */
export const VIEWS_KEY = "views_digest";

/** Where the generated migrations and the operators' views of a dialect lie. */
export function migrationPlan(dialect: "sqlite" | "postgres") {
  const folder = join(import.meta.dir, "../../drizzle");
  const migrationsFolder = join(folder, dialect);
  const views = readFileSync(join(folder, "views", `${dialect}.sql`), "utf8");
  return {
    config: { migrationsFolder, migrationsTable: MIGRATIONS_TABLE, migrationsSchema: "public" },
    latest: Math.max(...readMigrationFiles({ migrationsFolder }).map((migration) => migration.folderMillis)),
    views,
    viewsDigest: sha256Hex(views),
  };
}

/** What to do with a database that knows migrations which this version does not. */
export const NEWER_DATABASE_TODO =
  "Run the newer version. To go back to this one, restore the backup from before the upgrade (docs/operations.md).";

/**
 * Of a database that a newer version brought up to date, tables and views are not ours to change.
 *
 * @throws Error where `applied`, its newest migration, comes after our `latest`
 */
export function refuseNewer(applied: number, latest: number): void {
  if (applied <= latest) return;
  throw new Error(`the database was brought up to date by a newer version of Ponte. ${NEWER_DATABASE_TODO}`);
}

/** The newest migration that a database has, to be held against a plan's `latest`; 0 where none was applied. */
export async function newestMigration(reader: Reader): Promise<number> {
  const [row] = await reader.rows<{ latest: RawNumber | null }>(
    sql`select max(created_at) as latest from ${sql.identifier(MIGRATIONS_TABLE)}`,
  );
  return Number(row?.latest ?? 0);
}
