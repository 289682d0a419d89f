import type { Database as SqliteClient } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { drizzle as drizzleSqlite } from "drizzle-orm/bun-sqlite";
import { migrate as applySqlite } from "drizzle-orm/bun-sqlite/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";

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
    viewsDigest: new Bun.CryptoHasher("sha256").update(views).digest("hex"),
  };
}

/** Applies what is missing; the migrator runs in a transaction, and the views are made anew where they changed. */
export function migrateSqlite(client: SqliteClient): void {
  const plan = migrationPlan("sqlite");
  client.run("pragma busy_timeout = 5000");
  try {
    applySqlite(drizzleSqlite({ client }), plan.config);
    const known = client
      .query<{ value: string }, [string]>("select value from settings where key = ?")
      .get(plan.viewsKey);
    if (known?.value === plan.viewsDigest) return;
    client.transaction(() => {
      client.run(plan.views);
      client.run(
        "insert into settings (key, value, updated_at) values (?, ?, ?) on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at",
        [plan.viewsKey, plan.viewsDigest, Date.now()],
      );
    })();
  } finally {
    client.run("pragma busy_timeout = 0");
  }
}
