import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";

/** A database of the test's own: its URL, and how to remove it. */
export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  dispose(): Promise<void>;
}

export const testDialect = process.env.TEST_DATABASE_URL ? "postgres" : "sqlite";

/**
 * A fresh, migrated database: on the server of `TEST_DATABASE_URL` where that is set, else a SQLite file in a
 * temporary folder. The same suites run on both.
 */
export async function createTestDatabase(options: { migrated?: boolean } = {}): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  const place = server ? await createPostgresDatabase(server) : createSqliteFolder();
  const db = await openDatabase({ url: place.url });
  if (options.migrated ?? true) await db.migrate();
  return {
    url: place.url,
    db,
    async dispose() {
      await db.close();
      await place.remove();
    },
  };
}

export function createSqliteFolder() {
  const folder = mkdtempSync(join(tmpdir(), "ponte-test-"));
  return {
    url: join(folder, "ponte.db"),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function createPostgresDatabase(server: string) {
  const name = `ponte_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(server, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`create database ${name}`);
  await admin.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async remove() {
      const again = postgres(server, { max: 1, onnotice: () => undefined });
      await again.unsafe(`drop database if exists ${name} with (force)`);
      await again.end();
    },
  };
}
