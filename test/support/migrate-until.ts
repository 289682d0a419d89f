import { Database as SqliteClient } from "bun:sqlite";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle as drizzleSqlite } from "drizzle-orm/bun-sqlite";
import { migrate as applySqlite } from "drizzle-orm/bun-sqlite/migrator";
import { drizzle as drizzlePostgres } from "drizzle-orm/postgres-js";
import { migrate as applyPostgres } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { MIGRATOR_SETTINGS } from "../../src/db/migration-plan.ts";
import { testDialect } from "./database.ts";

/** Applies the migrations that came before the one called so, as a database of an older version has them. */
export async function migrateUntil(name: string, url: string, dialect = testDialect): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ponte-migrations-"));
  cpSync(join(import.meta.dir, "../../drizzle", dialect), folder, { recursive: true });
  const journal = Bun.file(join(folder, "meta/_journal.json"));
  const { entries, ...rest } = await journal.json();
  const cut = entries.findIndex(({ tag }: { tag: string }) => tag.endsWith(name));
  await journal.write(JSON.stringify({ ...rest, entries: entries.slice(0, cut) }));
  const settings = { ...MIGRATOR_SETTINGS, migrationsFolder: folder };
  if (dialect === "sqlite") {
    const client = new SqliteClient(url);
    applySqlite(drizzleSqlite({ client }), settings);
    client.close();
  } else {
    const client = postgres(url, { max: 1, onnotice: () => undefined });
    await applyPostgres(drizzlePostgres({ client }), { ...settings, migrationsSchema: "public" });
    await client.end();
  }
  rmSync(folder, { recursive: true, force: true });
}
