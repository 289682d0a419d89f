import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { VIEWS_KEY } from "../../src/db/migration-plan.ts";
import { openSpool } from "../../src/db/spool/spool.ts";
import { createReadiness } from "../../src/health/readiness.ts";
import { commandEnvironment, ponte } from "../cli/ponte.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

const NEWER_VIEWS = "the digest of a newer version's views";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await own.db.transaction(async (tx) => {
    await tx.rows(
      sql`update ponte_migrations set created_at = created_at + 1 where created_at = (select max(created_at) from ponte_migrations) returning id`,
    );
    await tx.rows(sql`update settings set value = ${NEWER_VIEWS} where key = ${VIEWS_KEY} returning key`);
  });
});
afterAll(() => own.dispose());

describe(`a database that a newer version brought up to date, on ${testDialect}`, () => {
  test("keeps the newer version's views, and whoever would migrate it hears which version to run", async () => {
    await expect(own.db.migrate()).rejects.toThrow("a newer version of Ponte");
    const { code, err } = await ponte(["migrate"], commandEnvironment(own));
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("restore the backup") });
    expect(await own.db.rows(sql`select value from settings where key = ${VIEWS_KEY}`)).toMatchObject([
      { value: NEWER_VIEWS },
    ]);
  });

  test("is no database that all of this version works on", async () => {
    const spool = openSpool(":memory:");
    const { ready, checks } = await createReadiness({ db: own.db, spool })();
    spool.close();
    expect(ready).toBe(false);
    expect(checks.migrations).toEqual({
      ok: false,
      detail: "the database is of a newer version; run that one",
    });
  });

  test("is found by ponte doctor, which says what to do", async () => {
    const { code, out } = await ponte(["doctor", "--offline"], commandEnvironment(own));
    expect(code).toBe(1);
    expect(out).toContain("✗ migrations: the database is newer than this version of Ponte");
    expect(out).toContain("restore the backup from before the upgrade");
  });
});
