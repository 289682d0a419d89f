import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { MIGRATIONS_TABLE, migrationPlan, newestMigration } from "../../src/db/migration-plan.ts";
import { openDatabase } from "../../src/db/open.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";

/** From this migration on all are missing; two are done before that which makes `outbox_progress`. */
const OLD = "erasure";

describe(`bringing an older database up to date, on ${testDialect}`, () => {
  let own: TestDatabase;
  beforeEach(async () => {
    own = await createTestDatabase({ migrated: false });
    await migrateUntil(OLD, own.url);
  });
  afterEach(() => own.dispose());

  const run = (statement: string) => own.db.transaction((tx) => tx.rows(sql.raw(statement)));
  const notes = () => own.db.rows(sql`select id from ${sql.identifier(MIGRATIONS_TABLE)}`);

  test("does all or nothing: what fails in the midst leaves the database as it was", async () => {
    const before = await newestMigration(own.db);
    await run("create table outbox_progress (somebody_elses integer)");
    await expect(own.db.migrate()).rejects.toThrow();
    expect(await newestMigration(own.db)).toBe(before);
    // Of the migration before the one that failed.
    await expect(own.db.rows(sql`select unexplained from outbox_routes`)).rejects.toThrow();
    await run("drop table outbox_progress");
    await own.db.migrate();
    expect(await newestMigration(own.db)).toBe(migrationPlan(testDialect).latest);
  });

  test("is done once where several processes do it at the same time", async () => {
    const others = await Promise.all([1, 2, 3].map(() => openDatabase({ url: own.url })));
    await Promise.all([own.db, ...others].map((db) => db.migrate()));
    expect(await notes()).toHaveLength(migrationPlan(testDialect).migrations.length);
    await Promise.all(others.map((db) => db.close()));
  });
});
