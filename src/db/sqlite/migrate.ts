import type { Database as SqliteClient } from "bun:sqlite";
import { SQLiteBunSession } from "drizzle-orm/bun-sqlite";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import {
  MIGRATIONS_TABLE,
  MIGRATOR_SETTINGS,
  type MigrationPlan,
  migrationPlan,
  refuseNewer,
  VIEWS_KEY,
} from "../migration-plan.ts";
import { isBusy } from "./wal.ts";

/** How long another process may take over the same migrations, which may copy large tables. */
const TIMEOUT_MS = 600_000;
const PAUSE_MS = 50;
/** How long one statement waits for another writer. */
const STATEMENT_TIMEOUT_MS = 5_000;

/**
 * Applies what is missing; the migrator runs in a transaction, and the views are made anew where they changed.
 *
 * @throws Error, before anything is touched, where a newer version made the database what it is
 */
export function migrateSqlite(client: SqliteClient): void {
  const plan = migrationPlan("sqlite");
  client.run(`pragma busy_timeout = ${STATEMENT_TIMEOUT_MS}`);
  try {
    applyMissing(client, plan);
    refuseNewer(appliedUpTo(client), plan.latest);
    const known = client
      .query<{ value: string }, [string]>("select value from settings where key = ?")
      .get(VIEWS_KEY);
    if (known?.value === plan.viewsDigest) return;
    const makeViews = client.transaction(() => {
      client.run(plan.views);
      client.run(
        "insert into settings (key, value, updated_at) values (?, ?, ?) on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at",
        [VIEWS_KEY, plan.viewsDigest, Date.now()],
      );
    });
    // One that only turns into a writer is refused, without waiting, where another process wrote since it began.
    makeViews.immediate();
  } finally {
    client.run("pragma busy_timeout = 0");
  }
}

/** Drizzle looks at what is missing before it waits for its turn; so of two at once one fails, and finds it all done. */
function applyMissing(client: SqliteClient, { migrations, latest }: MigrationPlan): void {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    try {
      const dialect = new SQLiteSyncDialect();
      const session = new SQLiteBunSession(client, dialect, undefined);
      dialect.migrate(migrations, session, MIGRATOR_SETTINGS);
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
    // There is no such table yet. Whatever else is wrong here is so at the statements after it, which say it.
    return 0;
  }
}
