import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { withDatabaseDeadline } from "../../src/db/database-deadline.ts";
import { openDatabase } from "../../src/db/open.ts";
import { DeadlineError } from "../../src/platform/deadline.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, enqueueEvents, pageView, statusCounts, testDispatcher } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { startSilentProxy } from "../support/silent-proxy.ts";
import { until } from "../support/until.ts";

let own: TestDatabase;

/** A way to the database that can go silent, and the database's URL by it. */
async function openSilentWay() {
  const direct = new URL(own.url);
  const proxy = await startSilentProxy({ hostname: direct.hostname, port: Number(direct.port) });
  direct.port = String(proxy.port);
  return { url: direct.href, silence: proxy.silence, [Symbol.dispose]: proxy.stop };
}

// SQLite has no network to lose an answer in. All of them wait, up to ten seconds, so they wait together.
describe.skipIf(testDialect === "sqlite").concurrent("connections that go silent", () => {
  beforeAll(async () => {
    own = await createTestDatabase();
  });
  afterAll(() => own.dispose());

  test("are left behind for new ones, and what waited on them fails", async () => {
    using way = await openSilentWay();
    const db = await openDatabase({ url: way.url });
    await db.rows(sql`select 1`);
    way.silence();
    const work = db.rows(sql`select 1 as one`);
    const lost = work.catch((error: unknown) => error);
    expect(await withDatabaseDeadline(db, 200, work).catch((error) => error)).toBeInstanceOf(DeadlineError);
    expect(await db.rows<{ one: number }>(sql`select 2 as one`)).toEqual([{ one: 2 }]);
    expect(await lost).toBeInstanceOf(Error);
    await db.close();
  }, 60_000);

  test("do not keep a listener from hearing what is committed afterwards", async () => {
    using way = await openSilentWay();
    const db = await openDatabase({ url: way.url });
    let wakes = 0;
    db.listen("outbox", () => wakes++);
    // Others' commits, in the tests beside this one, wake it too.
    await until(() => wakes > 0);
    await db.rows(sql`select 1`);
    way.silence();
    const heard = wakes;
    await withDatabaseDeadline(db, 100, db.rows(sql`select 1`)).catch(() => undefined);
    await until(() => wakes > heard);
    const before = wakes;
    await own.db.transaction((tx) => tx.notify("outbox"));
    await until(() => wakes > before);
    expect(wakes).toBeGreaterThan(before);
    await db.close();
  }, 60_000);

  test("do not stop a dispatcher", async () => {
    using way = await openSilentWay();
    using meta = Bun.serve({ port: 0, fetch: () => Response.json({ events_received: 1 }) });
    await addSendingPool(own.db, "sends", "111");
    const db = await openDatabase({ url: way.url });
    const running = testDispatcher(db, meta.url.origin);
    running.start();
    await enqueueEvents(own.db, "111", [pageView("before")]);
    await until(async () => (await statusCounts(own.db)).delivered === 1);
    way.silence();
    await enqueueEvents(own.db, "111", [pageView("after")]);
    await until(async () => (await statusCounts(own.db)).delivered === 2);
    await running.stop();
    expect(await statusCounts(own.db)).toMatchObject({ delivered: 2 });
    await db.close();
    // On a busy machine it may have renewed its connections just before, and does so once in seventy seconds.
  }, 150_000);

  test("answer cookies and payments with 503 in time, and the next ones as ever", async () => {
    using way = await openSilentWay();
    const app = await createTestApp({ DATABASE_URL: way.url, API_KEY: "k".repeat(32) });
    try {
      // The writer has its own connections: the report to come finds one.
      expect((await beacon(app)).status).toBe(204);
      // Nobody else takes the connection that is there, so that the payment would find a new one.
      app.deps.pools.close();
      await app.deps.pools.refresh();
      way.silence();
      const [cookies, payment] = await Promise.all([beacon(app), pay(app)]);
      expect([cookies.status, payment.status]).toEqual([503, 503]);
      expect([cookies.headers.get("retry-after"), payment.headers.get("retry-after")]).toEqual(["5", "5"]);
      expect([(await beacon(app)).status, (await pay(app)).status]).toEqual([204, 201]);
    } finally {
      await app.dispose();
    }
  }, 60_000);

  test("send visits to the spool, by which they arrive", async () => {
    using way = await openSilentWay();
    const app = await createTestApp({ DATABASE_URL: way.url });
    try {
      await addPool(own.db, { slug: "open" });
      await app.deps.pools.refresh();
      expect((await visit(app)).status).toBe(200);
      way.silence();
      expect((await visit(app)).status).toBe(200);
      expect(app.deps.spool.counts().waiting).toBe(1);
      await until(async () => (await own.db.$count(own.db.tables.sessions)) === 2);
    } finally {
      await app.dispose();
    }
  }, 60_000);
});

const visit = (app: TestApp) => app.request("/go/open?fbclid=abc");
const beacon = (app: TestApp) =>
  app.request("/api/tracking/cookies", {
    method: "POST",
    body: JSON.stringify({
      tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
      _fbp: "fb.1.1700000000000.123",
    }),
  });
const pay = (app: TestApp) =>
  app.request("/api/payments", {
    method: "POST",
    headers: { authorization: `Bearer ${"k".repeat(32)}`, "content-type": "application/json" },
    body: JSON.stringify({ provider: "generic", provider_ref: "r1", amount_minor: 100, currency: "BRL" }),
  });
