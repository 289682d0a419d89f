import type { Database as SqliteClient } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { drizzle as drizzleSqlite } from "drizzle-orm/bun-sqlite";
import { migrate as applySqlite } from "drizzle-orm/bun-sqlite/migrator";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { sha256Hex } from "../platform/secrets.ts";
import { isBusy } from "./wal.ts";

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

/** How long another process may take over the same migrations, which may copy large tables. */
const PATIENCE_MS = 600_000;
const PAUSE_MS = 50;

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

/** Applies what is missing; the migrator runs in a transaction, and the views are made anew where they changed. */
export function migrateSqlite(client: SqliteClient): void {
  const plan = migrationPlan("sqlite");
  client.run("pragma busy_timeout = 5000");
  try {
    applyMissing(client, plan);
    const known = client
      .query<{ value: string }, [string]>("select value from settings where key = ?")
      .get(plan.viewsKey);
    if (known?.value === plan.viewsDigest) return;
    const makeViews = client.transaction(() => {
      client.run(plan.views);
      client.run(
        "insert into settings (key, value, updated_at) values (?, ?, ?) on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at",
        [plan.viewsKey, plan.viewsDigest, Date.now()],
      );
    });
    // One that only turns into a writer is refused, without waiting, where another process wrote since it began.
    makeViews.immediate();
  } finally {
    client.run("pragma busy_timeout = 0");
  }
}

/** Drizzle looks at what is missing before it waits for its turn; so of two at once one fails, and finds it all done. */
function applyMissing(client: SqliteClient, { config, latest }: ReturnType<typeof migrationPlan>): void {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      applySqlite(drizzleSqlite({ client }), config);
      return;
    } catch (error) {
      if (client.inTransaction) client.run("rollback");
      if (appliedUpTo(client) >= latest) return;
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Bun.sleepSync(PAUSE_MS);
    }
  }
}

/** The newest migration that this database has; 0 where it has none. */
function appliedUpTo(client: SqliteClient): number {
  try {
    const row = client
      .query<{ at: number | null }, []>(`select max(created_at) as at from ${MIGRATIONS_TABLE}`)
      .get();
    return Number(row?.at ?? 0);
  } catch {
    return 0;
  }
}
