import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { sha256Hex } from "../platform/secrets.ts";

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

const VIEWS_KEY = "views_digest";

/** Where the generated migrations and the operators' views of a dialect lie. */
export function migrationPlan(dialect: "sqlite" | "postgres") {
  const folder = join(import.meta.dir, "../../drizzle");
  const migrationsFolder = join(folder, dialect);
  const views = readFileSync(join(folder, "views", `${dialect}.sql`), "utf8");
  return {
    config: { migrationsFolder, migrationsTable: MIGRATIONS_TABLE, migrationsSchema: "public" },
    latest: Math.max(...readMigrationFiles({ migrationsFolder }).map((migration) => migration.folderMillis)),
    migrationsTable: MIGRATIONS_TABLE,
    views,
    viewsKey: VIEWS_KEY,
    viewsDigest: sha256Hex(views),
  };
}
