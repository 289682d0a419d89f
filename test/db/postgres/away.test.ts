import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../../src/db/open.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../../support/database.ts";
import { until } from "../../support/until.ts";

describe.if(testDialect === "postgres")("a Postgres whose server ends a connection", () => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await createTestDatabase({ migrated: false });
  });
  afterAll(() => own.dispose());

  test("in a transaction that goes on: it fails, the process lives, and every later transaction finds a connection", async () => {
    // More often than the pool has connections: none may get lost.
    for (let i = 0; i < 25; i++) {
      const killed = own.db.transaction(async (tx) => {
        await tx.rows(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => undefined);
        await tx.rows(sql`select ${i}::int`).catch(() => undefined);
        // The driver notices meanwhile that the connection is gone.
        await Bun.sleep(1);
        await tx.rows(sql`select 1`);
      });
      await expect(killed).rejects.toThrow();
      const [row] = await own.db.transaction((tx) => tx.rows<{ one: number }>(sql`select 1 as one`));
      expect(row?.one).toBe(1);
    }
  }, 60_000);

  test.each([
    ["an error", sql`select 1 / (500 - g) from generate_series(1, 1000) as g`],
    [
      "its end",
      sql`select case g when 500 then pg_terminate_backend(pg_backend_pid()) end from generate_series(1, 1000) as g`,
    ],
  ])("in the midst of an answer, with %s: the next one on that connection is whole", async (_, statement) => {
    const db = await openDatabase({ url: own.url, maxConnections: 1 });
    await expect(db.rows(statement)).rejects.toThrow();
    expect(await db.rows(sql`select 1 as one`)).toEqual([{ one: 1 }]);
    await db.close();
  });

  test("that listens: what is committed afterwards is heard all the same", async () => {
    let wakes = 0;
    own.db.listen("outbox", () => wakes++);
    // Heard once when it begins to listen, and once when it listens again: it may have missed something meanwhile.
    await until(() => wakes === 1);
    await own.db.rows(sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query ilike 'listen%'`);
    await until(() => wakes >= 2);
    const before = wakes;
    await own.db.transaction((tx) => tx.notify("outbox"));
    await until(() => wakes > before);
    expect(wakes).toBeGreaterThan(before);
  }, 60_000);

  test("that is not there for a while when somebody begins to listen: it is listened to then, once", async () => {
    const name = `ponte_test_late_${crypto.randomUUID().replaceAll("-", "")}`;
    const db = await openDatabase({ url: Object.assign(new URL(own.url), { pathname: `/${name}` }).href });
    const heard = Promise.withResolvers<void>();
    let wakes = 0;
    db.listen("pools", () => {
      wakes++;
      heard.resolve();
    });
    await Bun.sleep(2_500);
    await own.db.rows(sql.raw(`create database ${name}`));
    await heard.promise;
    await Bun.sleep(100);
    expect(wakes).toBe(1);
    await db.close();
    await own.db.rows(sql.raw(`drop database ${name} with (force)`));
  }, 60_000);
});
