import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { sha256Hex } from "../platform/digests.ts";
import type { RawNumber, Reader } from "./database.ts";

/** Which migrations a database has. */
export const MIGRATIONS_TABLE = "ponte_migrations";

/** Where drizzle's migrator notes what it applied. It is handed the migrations, and reads none. */
export const MIGRATOR_SETTINGS = { migrationsFolder: "", migrationsTable: MIGRATIONS_TABLE } as const;

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

/** What makes a database of this version: the generated migrations, and the operators' views. */
export interface MigrationPlan {
  readonly migrations: MigrationMeta[];
  /** The newest of them. */
  readonly latest: number;
  readonly views: string;
  readonly viewsDigest: string;
}

/** What an executable has inside; `scripts/build.ts` fills it in. */
declare const MIGRATION_PLANS: Readonly<Record<"sqlite" | "postgres", MigrationPlan>>;

/**
 * The plan of a dialect. An executable has its own inside: what lies in the checkout after a pull is a newer version's.
 */
export function migrationPlan(dialect: "sqlite" | "postgres"): MigrationPlan {
  return typeof MIGRATION_PLANS === "undefined" ? readPlan(dialect) : MIGRATION_PLANS[dialect];
}

function readPlan(dialect: "sqlite" | "postgres"): MigrationPlan {
  const folder = join(import.meta.dir, "../../drizzle");
  const migrations = readMigrationFiles({ migrationsFolder: join(folder, dialect) });
  const views = readFileSync(join(folder, "views", `${dialect}.sql`), "utf8");
  return {
    migrations,
    latest: Math.max(...migrations.map((migration) => migration.folderMillis)),
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
