import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { openSpool, type Spool } from "../../src/db/spool/spool.ts";
import { createReadiness } from "../../src/health/readiness.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { beat, withdraw } from "../../src/outbox/heartbeat.ts";
import { sampleOutbox } from "../../src/outbox/sample.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, emptyOutbox } from "../support/outbox.ts";

let own: TestDatabase;
let spool: Spool;
beforeAll(async () => {
  own = await createTestDatabase();
  spool = openSpool(":memory:");
});
afterAll(async () => {
  spool.close();
  await own.dispose();
});

describe(`the outbox in the metrics, on ${testDialect}`, () => {
  test("is empty where nothing waits", async () => {
    expect(await sampleOutbox(own.db)).toEqual({
      depths: [],
      isMorePending: false,
      isMoreDead: false,
      held: [],
      dispatchersAlive: 0,
    });
  });

  test("says that counting stopped where one of many routes has more than its share", async () => {
    const routes = 50;
    for (let i = 1; i < routes; i++) await addRows(own.db, 1, { route: `few-${i}` });
    await addRows(own.db, 999, { route: "many" });
    expect(await sampleOutbox(own.db)).toMatchObject({ isMorePending: false });
    await addRows(own.db, 2, { route: "many" });
    const cut = await sampleOutbox(own.db);
    expect(cut).toMatchObject({ isMorePending: true, isMoreDead: false });
    expect(cut.depths.find(({ route }) => route === "many")?.events).toBe(1_000);
    for (let i = routes; i <= 500; i++) await addRows(own.db, 1, { route: `few-${i}` });
    // Nor are more than so many routes looked at, however few wait on each.
    await own.db.transaction((tx) =>
      tx.rows(sql`delete from outbox_progress where route = 'many' returning id`),
    );
    expect(await sampleOutbox(own.db)).toMatchObject({ isMorePending: true });
    await emptyOutbox(own.db);
  });

  test("lets visitors by between its counts", async () => {
    await addRows(own.db, 1);
    const order: string[] = [];
    const watched: Database = {
      ...own.db,
      rows(statement, values) {
        if (order.at(-1) !== "look") setImmediate(() => order.push("visitor"));
        order.push("look");
        return own.db.rows(statement, values);
      },
    };
    await sampleOutbox(watched);
    // What waits, by route and by number, what is sent, dead and expired; then three looks at tables of few rows.
    const apart = ["look", "visitor"];
    expect(order.slice(0, 13)).toEqual([...Array(5).fill(apart).flat(), "look", "look", "look"]);
    await emptyOutbox(own.db);
  });

  test("says by route how much waits and since when, what ended badly, and what is held up", async () => {
    const hourAgo = new Date(Date.now() - 3_600_000);
    await addRows(own.db, 2, { route: "111", createdAt: hourAgo, availableAt: hourAgo });
    await addRows(own.db, 3, { route: "222" });
    await addRows(own.db, 1, { route: "7", destination: "telegram" });
    await addRows(own.db, 4, { route: "222", status: "sending", leaseUntil: new Date() });
    await addRows(own.db, 1, { route: "111", status: "dead" });
    await addRows(own.db, 1, { route: "111", status: "expired" });
    await addRows(own.db, 9, { route: "111", status: "delivered" });
    await addRows(own.db, 9, { route: "111", status: "discarded" });
    await own.db.transaction(async (tx) => {
      await pauseRoute(tx, own.db, { destination: "meta", route: "111" }, "bad token");
      await changeRoute(
        tx,
        own.db,
        { destination: "meta", route: "222" },
        { kind: "throttled", forMs: 60_000 },
      );
      await changeRoute(tx, own.db, { destination: "meta", route: "333" }, { kind: "failed" });
    });
    await beat(own.db, "one");
    await beat(own.db, "two");
    const { depths, held, dispatchersAlive } = await sampleOutbox(own.db);
    const lines = depths.map(
      ({ destination, route, status, events }) => `${destination} ${route} ${status} ${events}`,
    );
    expect(lines.sort()).toEqual([
      "meta 111 dead 1",
      "meta 111 expired 1",
      "meta 111 pending 2",
      "meta 222 pending 3",
      "meta 222 sending 4",
      "telegram 7 pending 1",
    ]);
    const oldest = (route: string) =>
      depths.find((depth) => depth.route === route && depth.status === "pending")?.oldestSeconds;
    expect(oldest("111")).toBeGreaterThanOrEqual(3_600);
    expect(oldest("222")).toBeLessThan(3_600);
    expect(held.toSorted((a, b) => a.route.localeCompare(b.route))).toEqual([
      { destination: "meta", route: "111", state: "paused" },
      { destination: "meta", route: "222", state: "throttled" },
    ]);
    expect(dispatchersAlive).toBe(2);
    for (const id of ["one", "two"]) await withdraw(own.db, id);
  });
});

describe(`readiness on ${testDialect}`, () => {
  const look = () => createReadiness({ db: own.db, spool })();

  test("wants a dispatcher that shows signs of life", async () => {
    expect(await look()).toMatchObject({
      ready: false,
      checks: {
        database: { ok: true },
        migrations: { ok: true },
        dispatcher: { ok: false, heartbeat_age_seconds: null },
      },
    });
    await beat(own.db, "one");
    expect(await look()).toMatchObject({ ready: true, checks: { dispatcher: { ok: true } } });
    const { now, plusMs } = own.db.dialect;
    await own.db.transaction((tx) =>
      tx.rows(sql`update dispatchers set heartbeat_at = ${plusMs(now, -61_000)} returning id`),
    );
    expect(await look()).toMatchObject({
      ready: false,
      checks: { dispatcher: { ok: false, detail: expect.stringContaining("no sign of life") } },
    });
    await beat(own.db, "one");
  });

  test("takes no sign for one of life that a clock wrote which was ahead: whoever gave it may be gone", async () => {
    const { now, plusMs } = own.db.dialect;
    await own.db.transaction((tx) =>
      tx.rows(sql`update dispatchers set heartbeat_at = ${plusMs(now, 3_600_000)} returning id`),
    );
    expect(await look()).toMatchObject({
      checks: { dispatcher: { ok: false, heartbeat_age_seconds: null } },
    });
    expect((await sampleOutbox(own.db)).dispatchersAlive).toBe(0);
    await beat(own.db, "another");
    expect(await look()).toMatchObject({ checks: { dispatcher: { ok: true } } });
    await beat(own.db, "one");
    expect((await sampleOutbox(own.db)).dispatchersAlive).toBe(2);
    await withdraw(own.db, "another");
  });

  test("wants every migration, and says what to run", async () => {
    const newest = sql`(select max(created_at) from ponte_migrations)`;
    await own.db.transaction((tx) =>
      tx.rows(
        sql`update ponte_migrations set created_at = created_at - 1 where created_at = ${newest} returning id`,
      ),
    );
    expect(await look()).toMatchObject({
      ready: false,
      checks: { migrations: { ok: false, detail: expect.stringContaining("ponte migrate") } },
    });
    await own.db.transaction((tx) =>
      tx.rows(
        sql`update ponte_migrations set created_at = created_at + 1 where created_at = ${newest} returning id`,
      ),
    );
  });

  test("says how many visits wait on the disk, which alone is no reason to be unready", async () => {
    spool.append([
      { key: "a", body: "{}" },
      { key: "b", body: "{}" },
    ]);
    spool.setAside("b", "bad");
    expect(await look()).toMatchObject({ ready: true, checks: { spool: { waiting: 1, set_aside: 1 } } });
    spool.remove(["a", "b"]);
  });

  test("a database that is away fails every check of it, and tells nobody why", async () => {
    const away = {
      ...own.db,
      rows: () => Promise.reject(new Error("connect ECONNREFUSED db.internal:5432")),
    };
    const found = await createReadiness({ db: away, spool })();
    expect(found).toMatchObject({
      ready: false,
      checks: {
        database: { ok: false },
        migrations: { ok: false },
        dispatcher: { ok: false },
        spool: { ok: true },
      },
    });
    expect(JSON.stringify(found)).not.toContain("db.internal");
  });

  test("a database that gives no answer is not waited for", async () => {
    const silent = { ...own.db, rows: () => new Promise<never>(() => undefined) };
    expect(await createReadiness({ db: silent, spool })()).toMatchObject({
      ready: false,
      checks: { database: { ok: false }, migrations: { ok: false }, dispatcher: { ok: false } },
    });
  });
});
