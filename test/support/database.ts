import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres, { type Sql } from "postgres";
import type { Database } from "../../src/db/database.ts";
import { migrationPlan } from "../../src/db/migration-plan.ts";
import { openDatabase } from "../../src/db/open.ts";

/** Where a database of the test's own lies, and how to remove it. */
export interface TestPlace {
  readonly url: string;
  remove(): Promise<void>;
}

/** A database of the test's own: its URL, and how to remove it. */
export interface TestDatabase {
  readonly url: string;
  readonly db: Database;
  dispose(): Promise<void>;
}

const server = process.env.TEST_DATABASE_URL;

export const testDialect = server ? "postgres" : "sqlite";

/**
 * A fresh, migrated database: on the server of `TEST_DATABASE_URL` where that is set, else a SQLite file in a
 * temporary folder. The same suites run on both.
 */
export async function createTestDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const place = await (migrated ? createMigratedPlace() : createPlace());
  const db = await openDatabase({ url: place.url });
  return {
    url: place.url,
    db,
    async dispose() {
      await db.close();
      await place.remove();
    },
  };
}

const createPlace = async () => (server ? createPostgresDatabase(server) : createSqliteFolder());

let template: Promise<string> | undefined;
let file: Promise<Uint8Array> | undefined;

/** A copy of a database that was migrated once: several times as fast as migrating each. */
export async function createMigratedPlace(): Promise<TestPlace> {
  if (server) {
    template ??= postgresTemplate(server);
    return createPostgresDatabase(server, await template);
  }
  file ??= migratedFile();
  const place = createSqliteFolder();
  writeFileSync(place.url, await file);
  return place;
}

export function createSqliteFolder(): TestPlace {
  const folder = mkdtempSync(join(tmpdir(), "ponte-test-"));
  return {
    url: join(folder, "ponte.db"),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function createPostgresDatabase(server: string, template = "template1"): Promise<TestPlace> {
  const name = `ponte_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await asAdmin(server, (admin) => admin.unsafe(`create database ${name} template ${template}`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    remove: () => asAdmin(server, (admin) => admin.unsafe(`drop database if exists ${name} with (force)`)),
  };
}

async function migratedFile(): Promise<Uint8Array> {
  const place = createSqliteFolder();
  await migrateAt(place.url);
  const bytes = readFileSync(place.url);
  await place.remove();
  return bytes;
}

/** Any number: processes that test on one server make a template one after the other. */
const TEMPLATE_LOCK = 7_066_838_302;

/** The name of the template for this schema; it stays, for other processes and the next run on this server. */
async function postgresTemplate(server: string): Promise<string> {
  const { migrations, viewsDigest } = migrationPlan("postgres");
  const schema = new Bun.CryptoHasher("sha256").update(viewsDigest);
  for (const { hash } of migrations) schema.update(hash);
  const name = `ponte_template_${schema.digest("hex").slice(0, 32)}`;
  await asAdmin(server, async (admin) => {
    await admin`select pg_advisory_lock(${TEMPLATE_LOCK})`;
    const [found] = await admin`select from pg_database where datname = ${name}`;
    if (found) return;
    const { url } = await createPostgresDatabase(server);
    await migrateAt(url);
    // Named when it is whole: nobody copies one whose making was cut off.
    await admin.unsafe(`alter database ${new URL(url).pathname.slice(1)} rename to ${name}`);
  });
  return name;
}

async function migrateAt(url: string): Promise<void> {
  const db = await openDatabase({ url });
  await db.migrate();
  await db.close();
}

async function asAdmin(server: string, work: (admin: Sql) => Promise<unknown>): Promise<void> {
  const admin = postgres(server, { max: 1, onnotice: () => undefined });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
