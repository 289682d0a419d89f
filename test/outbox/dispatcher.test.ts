import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { eq, isNotNull, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { deliver } from "../../src/outbox/deliver.ts";
import { claim, REQUEST_TIMEOUT_MS, reclaimExpired } from "../../src/outbox/lease.ts";
import { resumeRoute } from "../../src/outbox/resume-route.ts";
import type { RouteKey } from "../../src/outbox/routes.ts";
import { settle } from "../../src/outbox/settle.ts";
import { createLog } from "../../src/platform/log.ts";
import { createPool, updatePool } from "../../src/pools/manage-pools.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { ponteJson } from "../cli/ponte.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  passTime,
  statusCounts,
  testDispatcher,
  testSecrets,
} from "../support/outbox.ts";
import { until } from "../support/until.ts";

const PIXEL = "1111111111";
const OTHER = "2222222222";

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let own: TestDatabase;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());
beforeEach(async () => {
  own = await createTestDatabase();
  await addSendingPool(own.db, "one", PIXEL);
  await fetch(`${sandbox.url}/events`, { method: "DELETE" });
  await fetch(`${sandbox.url}/requests`, { method: "DELETE" });
});
afterEach(async () => {
  await fetch(`${sandbox.url}/faults`, { method: "DELETE" });
  await own.dispose();
});

const dispatcher = () => testDispatcher(own.db, sandbox.url);
const events = (n: number, prefix = "e") => Array.from({ length: n }, (_, i) => pageView(`${prefix}${i}`));
const fault = (body: object) =>
  fetch(`${sandbox.url}/faults`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
const received = () => sandbox.events.list().map((entry) => ({ ...entry }));
const posts = () =>
  sandbox.requests.items().filter(({ method, path }) => method === "POST" && path.endsWith("/events"));
const attempts = () =>
  own.db.select().from(own.db.tables.outboxAttempts).orderBy(own.db.tables.outboxAttempts.id);

/** Puts another payload in an event's place, as a version that judged otherwise may have left it. */
const store = (eventId: string, payload: object) =>
  own.db.transaction((tx) => {
    const text = JSON.stringify(payload);
    return tx.rows(
      testDialect === "postgres"
        ? sql`update outbox set payload = ${text}::json where event_id = ${eventId} returning id`
        : sql`update outbox set payload = ${text} where event_id = ${eventId} returning id`,
    );
  });

describe(`dispatcher on ${testDialect}`, () => {
  test("delivers what is due in batches of a thousand, and writes every request down", async () => {
    await enqueueEvents(own.db, PIXEL, events(2_500));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2_500 });
    expect(received()).toHaveLength(2_500);
    expect(new Set(received().map(({ event }) => event.event_id)).size).toBe(2_500);
    const written = await attempts();
    expect(written.map(({ events }) => events).sort()).toEqual([1000, 1000, 500]);
    expect(written[0]).toMatchObject({ outcome: "delivered", status: 200, route: PIXEL });
    expect(written[0]?.response).toContain("events_received");
    const [row] = await own.db.select().from(own.db.tables.outbox).limit(1);
    expect(row).toMatchObject({ status: "delivered", attempts: 1, leaseId: null, leaseUntil: null });
    expect(row?.fbtraceId).toBeTruthy();
    expect(row?.deliveredAt).toBeInstanceOf(Date);
  });

  test("sends each pixel and each test code apart, with nothing mixed", async () => {
    await addSendingPool(own.db, "two", OTHER);
    await enqueueEvents(own.db, PIXEL, events(3, "a"));
    await enqueueEvents(own.db, OTHER, events(2, "b"));
    await enqueueEvents(own.db, PIXEL, events(1, "t"), "TEST123");
    await dispatcher().drain();
    const seen = received().map(
      (entry) => `${entry.pixel_id} ${entry.test_event_code} ${entry.event.event_id}`,
    );
    expect(seen.sort()).toEqual([
      `${PIXEL} TEST123 t0`,
      `${PIXEL} null a0`,
      `${PIXEL} null a1`,
      `${PIXEL} null a2`,
      `${OTHER} null b0`,
      `${OTHER} null b1`,
    ]);
    expect(posts()).toHaveLength(3);
  });

  test("prolongs the lease of a request that takes long, so that nobody sends its rows a second time", async () => {
    const released = Promise.withResolvers<Response>();
    using meta = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => released.promise });
    await enqueueEvents(own.db, PIXEL, events(1));
    const running = testDispatcher(own.db, meta.url.origin);
    running.start();
    const { outboxProgress } = own.db.tables;
    const leasedUntil = async () => {
      const [row] = await own.db.select({ at: outboxProgress.leaseUntil }).from(outboxProgress);
      return row?.at?.getTime() ?? 0;
    };
    await until(async () => (await leasedUntil()) > 0);
    const first = await leasedUntil();
    await until(async () => (await leasedUntil()) > first);
    const { attempts, status } = outboxProgress;
    expect(await own.db.select({ attempts, status }).from(outboxProgress)).toEqual([
      { attempts: 1, status: "sending" },
    ]);
    await running.stop(0);
    released.resolve(new Response());
  }, 30_000);

  test("leaves held rows alone until their time", async () => {
    await enqueueEvents(own.db, PIXEL, events(1));
    await own.db.transaction((tx) =>
      tx.rows(
        sql`update outbox set available_at = ${own.db.dialect.plusMs(own.db.dialect.now, 60_000)} returning id`,
      ),
    );
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ pending: 1 });
  });

  test.each([
    ["500", { mode: "500", times: 1 }, 1],
    ["a reset connection", { mode: "reset", times: 1 }, null],
    ["garbage", { mode: "garbage", times: 1 }, null],
  ])("%s is tried again later, and the events arrive once", async (_, body, code) => {
    await fault(body);
    await enqueueEvents(own.db, PIXEL, events(3));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ pending: 3 });
    const [row] = await own.db.select().from(own.db.tables.outbox).limit(1);
    expect(row?.attempts).toBe(1);
    expect(row?.lastError).toBeTruthy();
    expect(row?.availableAt.getTime()).toBeGreaterThan(row?.createdAt.getTime() ?? 0);
    expect((await attempts())[0]).toMatchObject({ outcome: "transient", code });
    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 3 });
    expect(received()).toHaveLength(3);
  });

  test("a failure after Meta took the events repeats them under the same event ids only", async () => {
    await fault({ mode: "500", times: 1, after: true });
    await enqueueEvents(own.db, PIXEL, events(3));
    await dispatcher().drain();
    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 3 });
    expect(received().filter(({ duplicate }) => !duplicate)).toHaveLength(3);
    expect(received().filter(({ duplicate }) => duplicate)).toHaveLength(3);
  });

  test("what Meta counted only a part of is sent apart until every event has arrived", async () => {
    await fault({ mode: "partial", times: 2, accept: 3 });
    await enqueueEvents(own.db, PIXEL, events(8));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 8 });
    expect(new Set(received().map(({ event }) => event.event_id)).size).toBe(8);
    const outcomes = (await attempts()).map(({ outcome, events }) => `${events} ${outcome}`);
    expect(outcomes).toEqual([
      "8 partial",
      "4 partial",
      "2 delivered",
      "1 delivered",
      "1 delivered",
      "4 delivered",
    ]);
    expect((await attempts())[0]?.response).toContain('"events_received":3');
  });

  test("what Meta counted nothing of is tried again later", async () => {
    await fault({ mode: "partial", times: 1, accept: 0 });
    await enqueueEvents(own.db, PIXEL, events(2));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ pending: 2 });
    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
  });

  test("429 slows the pixel down for as long as it says, burns no attempt, and leaves other pixels alone", async () => {
    await addSendingPool(own.db, "two", OTHER);
    await fault({ mode: "429", times: 1, retry_after: 120, pixel: PIXEL });
    await enqueueEvents(own.db, PIXEL, events(2, "a"));
    await enqueueEvents(own.db, OTHER, events(2, "b"));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2, pending: 2 });
    const { outbox, outboxRoutes } = own.db.tables;
    const [waiting] = await own.db.select().from(outbox).where(eq(outbox.route, PIXEL)).limit(1);
    expect(waiting?.attempts).toBe(0);
    const [route] = await own.db.select().from(outboxRoutes);
    const restMs = (route?.throttledUntil?.getTime() ?? 0) - (route?.updatedAt.getTime() ?? 0);
    expect(restMs).toBe(120_000);
    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 4 });
  });

  test("of two requests under way at once, the one that is told to wait longer is heeded, whichever answers last", async () => {
    const longer = { "x-business-use-case-usage": '{"1":[{"estimated_time_to_regain_access":30}]}' };
    const both = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    let asked = 0;
    using meta = Bun.serve({
      port: 0,
      async fetch() {
        const isFirst = ++asked === 1;
        if (asked === 2) both.resolve();
        await (isFirst ? both : first).promise;
        const refusal = { error: { code: isFirst ? 80004 : 4, message: "slow down" } };
        return Response.json(refusal, { status: 400, headers: isFirst ? longer : {} });
      },
    });
    await enqueueEvents(own.db, PIXEL, events(2_000));
    const drained = testDispatcher(own.db, meta.url.origin).drain();
    const { outboxRoutes } = own.db.tables;
    const throttled = async () => (await own.db.select().from(outboxRoutes))[0]?.throttledUntil ?? null;
    await until(async () => (await throttled()) !== null);
    const askedUntil = await throttled();
    first.resolve();
    await drained;
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(["throttled", "throttled"]);
    expect(await throttled()).toEqual(askedUntil);
    // A longer wait than the last counts as ever.
    await own.db.transaction((tx) =>
      changeRoute(tx, own.db, { destination: "meta", route: PIXEL }, { kind: "throttled", forMs: 3_600_000 }),
    );
    expect((await throttled())?.getTime()).toBeGreaterThan((askedUntil?.getTime() ?? 0) + 1_000_000);
  });

  test("429 with Retry-After: 0, again and again, is no hot loop, and the next delivery forgets it", async () => {
    let asked = 0;
    using meta = Bun.serve({
      port: 0,
      fetch: () =>
        ++asked <= 3
          ? Response.json({ error: { code: 4 } }, { status: 429, headers: { "retry-after": "0" } })
          : Response.json({ events_received: 2 }),
    });
    await enqueueEvents(own.db, PIXEL, events(2));
    const { outboxRoutes } = own.db.tables;
    for (const seconds of [1, 2, 4]) {
      await testDispatcher(own.db, meta.url.origin).drain();
      const [route] = await own.db.select().from(outboxRoutes);
      const restMs = (route?.throttledUntil?.getTime() ?? 0) - (route?.updatedAt.getTime() ?? 0);
      expect(restMs).toBe(seconds * 1_000);
      await passTime(own.db);
    }
    expect(asked).toBe(3);
    await testDispatcher(own.db, meta.url.origin).drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    const [route] = await own.db.select().from(outboxRoutes);
    expect(route?.throttles).toBe(0);
  });

  test("a refused token pauses the pixel, burns nothing, and a changed one lets the rows go", async () => {
    await fault({ mode: "190", times: 1 });
    await enqueueEvents(own.db, PIXEL, events(5));
    await dispatcher().drain();
    await passTime(own.db);
    await dispatcher().drain();
    expect(posts()).toHaveLength(1);
    expect(await statusCounts(own.db)).toEqual({ pending: 5 });
    const { outbox, outboxRoutes } = own.db.tables;
    const [route] = await own.db.select().from(outboxRoutes);
    expect(route?.pausedAt).toBeInstanceOf(Date);
    expect(route?.pausedReason).toContain("190");
    const [row] = await own.db.select().from(outbox).limit(1);
    expect(row?.attempts).toBe(0);
    const change = { meta_access_token: "EAAthe-new-one" };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 5 });
  });

  test("pools that share a pixel send with the token set last, and with another's when that is refused", async () => {
    const used: string[] = [];
    const refused = new Set<string>();
    using meta = Bun.serve({
      port: 0,
      async fetch(request) {
        const token = /EAA-[a-z]+/.exec(await request.text())?.[0] ?? "none";
        used.push(token);
        return refused.has(token)
          ? Response.json({ error: { code: 190, message: "invalid token" } }, { status: 401 })
          : Response.json({ events_received: 1 });
      },
    });
    await addSendingPool(own.db, "two", PIXEL);
    let changes = 0;
    const change = (slug: string, what: { name: string } | { meta_access_token: string }) =>
      updatePool(
        { db: own.db, secrets: testSecrets, now: () => new Date(Date.now() + 1_000 * ++changes) },
        "test",
        slug,
        what,
      );
    await change("one", { meta_access_token: "EAA-one" });
    await change("two", { meta_access_token: "EAA-two" });
    await change("one", { name: "edited last" });
    const running = testDispatcher(own.db, meta.url.origin);
    const sendOne = async (id: string) => {
      await enqueueEvents(own.db, PIXEL, [pageView(id)]);
      await running.drain();
    };
    await sendOne("a");
    refused.add("EAA-two");
    await sendOne("b");
    await sendOne("c");
    expect(used).toEqual(["EAA-two", "EAA-two", "EAA-one", "EAA-one"]);
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
    refused.add("EAA-one");
    await sendOne("d");
    expect((await own.db.select().from(own.db.tables.outboxRoutes))[0]?.pausedReason).toContain("190");
    expect(await statusCounts(own.db)).toEqual({ delivered: 3, pending: 1 });
    // One of the two works again; which of them, only trying tells.
    refused.delete("EAA-one");
    await own.db.transaction((tx) => resumeRoute(tx, own.db, { destination: "meta", route: PIXEL }));
    await running.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 4 });
  });

  test("a resumed route hurries what was tried before, and not what waits for its browser; neither forgets its last words", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await addRows(own.db, 1, { ...key, availableInMs: 3_600_000 });
    await addRows(own.db, 1, { ...key, availableInMs: 3_600_000, attempts: 1, lastError: "down" });
    await own.db.transaction((tx) => pauseRoute(tx, own.db, key, "why"));
    await own.db.transaction((tx) => resumeRoute(tx, own.db, key));
    const rows = await claim(own.db, "lease", { ...key, limit: 10 });
    expect(rows).toMatchObject([{ attempts: 2 }]);
    const released = { kind: "released", afterMs: null, reason: null } as const;
    await own.db.transaction((tx) => settle(tx, own.db, "lease", rows, released));
    const { outbox } = own.db.tables;
    const [row] = await own.db.select().from(outbox).where(eq(outbox.attempts, 1));
    expect(row).toMatchObject({ status: "pending", lastError: "down" });
  });

  test("an operator's pause outlives a changed token, and a refusal does not take its reason", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    const { db } = own;
    await db.transaction((tx) => pauseRoute(tx, db, key, "the campaign is over"));
    const refused = { kind: "paused", reason: "190", by: "refusal" } as const;
    await db.transaction((tx) => changeRoute(tx, db, key, refused));
    await db.transaction((tx) => changeRoute(tx, db, { ...key, route: `${PIXEL}/TEST1` }, refused));
    const change = { meta_access_token: "EAAthe-new-one" };
    await updatePool({ db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    const routes = await db.select().from(db.tables.outboxRoutes);
    expect(routes).toMatchObject([
      { route: PIXEL, pausedBy: "operator", pausedReason: "the campaign is over" },
    ]);
  });

  test("a token changed while the old one is being refused is used at once, and nothing is paused or slowed down", async () => {
    const change = { meta_access_token: "EAAthe-new-one" };
    using meta = Bun.serve({
      port: 0,
      async fetch(request) {
        if ((await request.text()).includes("EAAthe-new-one")) return Response.json({ events_received: 2 });
        await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
        return Response.json({ error: { code: 190, message: "invalid token" } }, { status: 401 });
      },
    });
    await enqueueEvents(own.db, PIXEL, events(2));
    await testDispatcher(own.db, meta.url.origin).drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(["outdated", "delivered"]);
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
  });

  test("a token changed by the command line, in another process, lets the rows go by themselves", async () => {
    await fault({ mode: "190", times: 1 });
    await enqueueEvents(own.db, PIXEL, events(2));
    const running = dispatcher();
    running.start();
    const { outboxRoutes } = own.db.tables;
    await until(async () => (await own.db.$count(outboxRoutes, isNotNull(outboxRoutes.pausedAt))) !== 0);
    const environment = { DATABASE_URL: own.url, APP_SECRET: Buffer.alloc(32, 7).toString("base64") };
    await ponteJson(["pool", "update", "one", "--access-token", "EAAthe-new-one"], environment);
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 2);
    await running.stop();
    expect(received().map(({ event }) => event.event_id)).toEqual(["e0", "e1"]);
  });

  test("events of a pixel that their pool has no more go with that pool's token", async () => {
    const { tables } = own.db;
    const [pool] = await own.db.select({ id: tables.pools.id }).from(tables.pools);
    await enqueueEvents(own.db, PIXEL, events(2));
    await own.db.transaction((tx) => tx.update(tables.outboxProgress).set({ poolId: pool?.id ?? 0 }));
    const change = { meta_pixel_id: OTHER };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect(received().map(({ pixel_id }) => pixel_id)).toEqual([PIXEL, PIXEL]);
  });

  test("and a pause that its old token came to ends with the pool's new one", async () => {
    const { tables } = own.db;
    const [pool] = await own.db.select({ id: tables.pools.id }).from(tables.pools);
    await enqueueEvents(own.db, PIXEL, events(2));
    await own.db.transaction((tx) => tx.update(tables.outboxProgress).set({ poolId: pool?.id ?? 0 }));
    const refused = { kind: "paused", reason: "code 190", by: "refusal" } as const;
    for (const route of [PIXEL, `${PIXEL}/TEST1`])
      await own.db.transaction((tx) => changeRoute(tx, own.db, { destination: "meta", route }, refused));
    const change = { meta_pixel_id: OTHER, meta_access_token: "EAAsandboxtoken9876543210" };
    await updatePool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", "one", change);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    expect(await own.db.$count(tables.outboxRoutes)).toBe(0);
  });

  test("a pixel without any token is paused with what to do about it, and goes when a new pool has one", async () => {
    await enqueueEvents(own.db, OTHER, events(1));
    await dispatcher().drain();
    const [route] = await own.db.select().from(own.db.tables.outboxRoutes);
    expect(route?.pausedReason).toContain("ponte pool update");
    expect(await statusCounts(own.db)).toEqual({ pending: 1 });
    const draft = {
      slug: "other",
      meta_pixel_id: OTHER,
      meta_access_token: "EAAtest-token-0123456789",
      bots: [{ username: "other_bot" }],
    };
    await createPool({ db: own.db, secrets: testSecrets, now: () => new Date() }, "test", draft);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("one bad event of a thousand is dead alone with Meta's words, in O(log n) requests", async () => {
    const batch = events(1_000);
    await enqueueEvents(own.db, PIXEL, batch);
    const bad = JSON.stringify({ ...pageView("e617"), user_data: { em: "not-hashed" } });
    await own.db.transaction((tx) =>
      tx.rows(
        testDialect === "postgres"
          ? sql`update outbox set payload = ${bad}::json where event_id = 'e617' returning id`
          : sql`update outbox set payload = ${bad} where event_id = 'e617' returning id`,
      ),
    );
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 999, dead: 1 });
    const { outbox } = own.db.tables;
    const [dead] = await own.db.select().from(outbox).where(eq(outbox.status, "dead"));
    expect(dead?.eventId).toBe("e617");
    expect(dead?.lastError).toContain("data[0]");
    expect(received()).toHaveLength(999);
    // log2(1000) halvings, two requests each, and the first one.
    expect(posts().length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(1_000)));
  });

  test("cookies that Meta refuses, taken by an older version, are left out of what waits, and nothing is refused", async () => {
    const waiting = (eventId: string, ids: object) => ({
      ...pageView(eventId),
      user_data: { ...pageView(eventId).user_data, ...ids },
    });
    const fbc = "fb.1.1700000000000.IwAR0_aB-9.AQYBAQAB";
    const odd = Array.from({ length: 25 }, (_, i) =>
      waiting(`odd${i}`, { fbp: 'fb.1.1700000000."abc', fbc: i % 2 === 0 ? fbc : "fb.12.1700000000000.a" }),
    );
    for (const payload of [...odd, waiting("good", { fbp: "fb.1.1700000000000.7", fbc })]) {
      await addRows(own.db, 1, { route: PIXEL, eventId: payload.event_id, payload });
    }
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 26 });
    expect(posts()).toHaveLength(1);
    const sent = new Map(received().map(({ event }) => [event.event_id, event.user_data]));
    expect(sent.get("odd0")).toEqual({ ...pageView("").user_data, fbc });
    expect(sent.get("odd1")).toEqual(pageView("").user_data);
    expect(sent.get("good")).toEqual({ ...pageView("").user_data, fbp: "fb.1.1700000000000.7", fbc });
  });

  test("what Meta is sure to refuse is dead on arrival, and what is too old expires", async () => {
    const { outbox } = own.db.tables;
    await enqueueEvents(own.db, PIXEL, [{ ...pageView("bad"), user_data: {} }, pageView("good")]);
    const old = Math.floor(Date.now() / 1000) - 8 * 86_400;
    await enqueueEvents(own.db, PIXEL, [pageView("aged")]);
    await store("aged", pageView("aged", old));
    await dispatcher().drain();
    const rows = await own.db.select().from(outbox);
    expect(Object.fromEntries(rows.map(({ eventId, status }) => [eventId, status]))).toEqual({
      bad: "dead",
      good: "delivered",
      aged: "expired",
    });
    expect(received()).toHaveLength(1);
  });

  test("a refusal with a known reason is none that nothing explains: too old by Meta's clock, or against a rule", async () => {
    const { outbox, outboxRoutes } = own.db.tables;
    await enqueueEvents(own.db, PIXEL, [pageView("old")]);
    await fault({ mode: "graph", code: 100, error_subcode: 2_804_003, times: 1 });
    await dispatcher().drain();
    await enqueueEvents(own.db, PIXEL, [pageView("bad")]);
    await store("bad", { ...pageView("bad"), user_data: {} });
    await dispatcher().drain();
    const rows = await own.db.select().from(outbox);
    expect(Object.fromEntries(rows.map(({ eventId, status }) => [eventId, status]))).toEqual({
      old: "expired",
      bad: "dead",
    });
    const [route] = await own.db.select().from(outboxRoutes);
    expect(route?.unexplained ?? 0).toBe(0);
  });

  test("an event from a machine whose clock is ahead is sent, with the time that it is", async () => {
    const seconds = () => Math.floor(Date.now() / 1000);
    await enqueueEvents(own.db, PIXEL, [pageView("ahead", seconds() + 90)]);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
    expect(received()[0]?.event.event_time).toBeWithin(seconds() - 10, seconds() + 1);
  });

  test("so is one that an older version wrote down as it came", async () => {
    await enqueueEvents(own.db, PIXEL, [pageView("ahead")]);
    await store("ahead", pageView("ahead", Math.floor(Date.now() / 1000) + 3_600));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("an event from such a machine goes out with one and the same time, however often it is tried", async () => {
    const times: unknown[] = [];
    using meta = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        times.push((await request.json()).data[0].event_time);
        return new Response(null, { status: 500 });
      },
    });
    const seconds = () => Math.floor(Date.now() / 1000);
    await enqueueEvents(own.db, PIXEL, [pageView("ahead", seconds() + 90)]);
    for (let i = 0; i < 2; i++) {
      const before = seconds();
      await until(() => i === 0 || seconds() > before);
      const running = testDispatcher(own.db, meta.url.origin);
      await running.drain();
      await running.stop();
      await passTime(own.db);
    }
    expect(times).toHaveLength(2);
    expect(new Set(times).size).toBe(1);
  });

  test("after five failures in a row the breaker opens; a small probe closes it again", async () => {
    await fault({ mode: "500", times: 5 });
    await enqueueEvents(own.db, PIXEL, events(40));
    for (let i = 0; i < 5; i++) {
      await dispatcher().drain();
      await own.db.transaction((tx) =>
        tx.rows(
          sql`update outbox set available_at = ${own.db.dialect.plusMs(own.db.dialect.now, -1)} returning id`,
        ),
      );
    }
    const { outboxRoutes } = own.db.tables;
    const [open] = await own.db.select().from(outboxRoutes);
    expect(open).toMatchObject({ failures: 5 });
    expect((open?.openUntil?.getTime() ?? 0) - (open?.updatedAt.getTime() ?? 0)).toBe(1_000);
    // A busy machine may need longer for what follows.
    const openUntil = sql<Date>`${own.db.dialect.plusMs(own.db.dialect.now, 60_000)}`;
    await own.db.transaction((tx) => tx.update(outboxRoutes).set({ openUntil }));
    await dispatcher().drain();
    expect(posts()).toHaveLength(5);

    await passTime(own.db);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 40 });
    expect(posts()[5]?.events).toBe(10);
    const [closed] = await own.db.select().from(outboxRoutes);
    expect(closed).toMatchObject({ failures: 0, openUntil: null });
  });

  /** A route whose breaker opened, and whose rest is over. */
  async function letProbe(key: RouteKey): Promise<void> {
    for (let i = 0; i < 5; i++) {
      await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "failed" }));
    }
    await passTime(own.db);
  }

  test("a probe that gets through hurries what waits, but for rows that failed even alone", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    await addRows(own.db, 1, key);
    for (const attempts of [13, 14]) await addRows(own.db, 1, { ...key, attempts, availableInMs: 3_600_000 });
    await dispatcher().drain();
    const { outboxProgress } = own.db.tables;
    const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["delivered", 1],
      ["delivered", 14],
      ["pending", 14],
    ]);
  });

  test("a probe takes the rows that failed the least, though others have been due for longer", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    await addRows(own.db, 2, { ...key, attempts: 13, availableInMs: -60_000 });
    await addRows(own.db, 2, key);
    await fault({ mode: "500", times: 1 });
    await dispatcher().drain();
    expect(posts()).toHaveLength(1);
    const { outboxProgress } = own.db.tables;
    const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
    expect(rows.map(({ attempts }) => attempts)).toEqual([13, 13, 1, 1]);
  });

  test("while a probe's request may still be answered, nobody else probes", async () => {
    await enqueueEvents(own.db, PIXEL, events(2));
    const key = { destination: "meta" as const, route: PIXEL };
    await letProbe(key);
    expect(await claim(own.db, "first", { ...key, limit: 1, isProbe: true })).toHaveLength(1);
    const { outboxRoutes } = own.db.tables;
    const openUntil = own.db.dialect.epochMs(sql`${outboxRoutes.openUntil}`);
    const [row] = await own.db.rows<{ ms: number | string }>(
      sql`select ${openUntil} - ${own.db.dialect.epochMs(own.db.dialect.now)} as ms from ${outboxRoutes}`,
    );
    expect(Number(row?.ms)).toBeGreaterThan(REQUEST_TIMEOUT_MS);
    expect(await claim(own.db, "second", { ...key, limit: 1, isProbe: true })).toEqual([]);
  });

  test("rows whose dispatcher died are taken over when their lease has run out", async () => {
    await enqueueEvents(own.db, PIXEL, events(3));
    const held = await claim(own.db, "the-dead-one", { destination: "meta", route: PIXEL, limit: 10 });
    expect(held).toHaveLength(3);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ sending: 3 });
    await own.db.transaction((tx) =>
      tx.rows(
        sql`update outbox set lease_until = ${own.db.dialect.plusMs(own.db.dialect.now, -1)} where status = 'sending' returning id`,
      ),
    );
    const another = dispatcher();
    another.start();
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 3);
    await another.stop();
  });

  test("rows of a dispatcher whose database's clock was days ahead when it died are taken over too", async () => {
    const { now, plusMs } = own.db.dialect;
    const { outboxProgress } = own.db.tables;
    const ahead = sql<Date>`${plusMs(now, 90 * 86_400_000)}`;
    await enqueueEvents(own.db, PIXEL, events(3));
    await own.db.transaction((tx) =>
      tx
        .update(outboxProgress)
        .set({ status: "sending", leaseId: "dead", leaseUntil: ahead, availableAt: ahead, attempts: 1 }),
    );
    expect(await reclaimExpired(own.db)).toBe(3);
    expect(await claim(own.db, "living", { destination: "meta", route: PIXEL, limit: 10 })).toHaveLength(3);
    expect(await reclaimExpired(own.db)).toBe(0);
  });

  test("a pause that such a clock wrote is over, and one that may have been asked for is not", async () => {
    const { now, plusMs } = own.db.dialect;
    const { outboxRoutes } = own.db.tables;
    const pause = (route: string, ms: number, aheadMs = 0) => ({
      destination: "meta" as const,
      route,
      throttledUntil: sql<Date>`${plusMs(now, ms)}`,
      updatedAt: sql<Date>`${plusMs(now, aheadMs)}`,
    });
    const hourMs = 3_600_000;
    const pauses = [
      pause("1", 90 * 24 * hourMs),
      pause("2", 24 * hourMs),
      pause("3", 4 * hourMs, 3 * hourMs),
    ];
    await own.db.transaction((tx) => tx.insert(outboxRoutes).values(pauses));
    const running = dispatcher();
    running.start();
    const paused = async () =>
      (await own.db.select().from(outboxRoutes))
        .filter(({ throttledUntil }) => throttledUntil !== null)
        .map(({ route }) => route);
    await until(async () => (await paused()).length === 1);
    expect(await paused()).toEqual(["2"]);
    await running.stop();
  });

  test("a breaker that such a clock opened does not stay open for days", async () => {
    const { now, plusMs } = own.db.dialect;
    const { outboxRoutes } = own.db.tables;
    await enqueueEvents(own.db, PIXEL, events(3));
    await own.db.transaction((tx) =>
      tx.insert(outboxRoutes).values({
        destination: "meta",
        route: PIXEL,
        failures: 5,
        openUntil: sql<Date>`${plusMs(now, 90 * 86_400_000)}`,
        updatedAt: sql<Date>`${now}`,
      }),
    );
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 3 });
    expect(await own.db.select().from(outboxRoutes)).toMatchObject([{ failures: 0, openUntil: null }]);
  });

  test("a probe whose rows are all too old leaves the right to the next one", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    const weekAgo = Math.floor(Date.now() / 1000) - 8 * 86_400;
    await addRows(own.db, 25, { ...key, payload: pageView("old", weekAgo) });
    await addRows(own.db, 3, { ...key, payload: pageView("new"), availableInMs: 1 });
    await letProbe(key);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ expired: 25, delivered: 3 });
  });

  test("and so does one that is asked to slow down: the other side answers again", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await enqueueEvents(own.db, PIXEL, events(1));
    await letProbe(key);
    await fault({ mode: "429", times: 1, retry_after: 60 });
    await dispatcher().drain();
    const [route] = await own.db.select().from(own.db.tables.outboxRoutes);
    expect(route).toMatchObject({ openUntil: null, throttledUntil: expect.any(Date) });
  });

  test("and so does one that finds no rows any more", async () => {
    const key = { destination: "meta" as const, route: PIXEL, limit: 10, isProbe: true };
    await letProbe(key);
    expect(await claim(own.db, "too late", key)).toEqual([]);
    await enqueueEvents(own.db, PIXEL, events(1));
    expect(await claim(own.db, "next", key)).toHaveLength(1);
  });

  test("and so does one whose process stops before it asked", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    await enqueueEvents(own.db, PIXEL, events(1));
    await letProbe(key);
    const rows = await claim(own.db, "stopping", { ...key, limit: 10, isProbe: true });
    const adapter = {
      maxBatch: 10,
      isExpired: () => false,
      send: async () => {
        throw new Error("nothing is sent any more");
      },
    };
    const deps = { db: own.db, log: createLog("silent"), onSettled: async () => undefined };
    await deliver(
      { ...deps, adapter, onRequest: () => undefined, signal: AbortSignal.abort() },
      {
        key,
        leaseId: "stopping",
        rows,
        standing: { failures: 5, throttles: 0, unexplained: 0 },
        streak: { unexplained: 0, hasCounted: false },
      },
    );
    expect(await claim(own.db, "next", { ...key, limit: 10, isProbe: true })).toHaveLength(1);
  });

  test("rows that lapse again and again wait longer each time, so that a poisonous one does not kill for ever", async () => {
    await enqueueEvents(own.db, PIXEL, events(2));
    const { outboxProgress } = own.db.tables;
    const first = { destination: "meta" as const, route: PIXEL, limit: 1 };
    const lapse = sql`${own.db.dialect.plusMs(own.db.dialect.now, -1)}`;
    const heldForMs = async (attempts: number) => {
      await own.db.transaction(async (tx) => {
        await tx.update(outboxProgress).set({ status: "sending", attempts, leaseUntil: sql<Date>`${lapse}` });
      });
      expect(await reclaimExpired(own.db)).toBe(2);
      const { now, epochMs } = own.db.dialect;
      const [row] = await own.db.rows<{ ms: number | string }>(
        sql`select ${epochMs(sql`max(available_at)`)} - ${epochMs(now)} as ms from outbox`,
      );
      return Number(row?.ms);
    };
    expect(await heldForMs(1)).toBeLessThanOrEqual(0);
    expect(await claim(own.db, "any", first)).toHaveLength(1);
    expect(await heldForMs(4)).toBeWithin(8_000, 16_001);
    expect(await heldForMs(400)).toBeWithin(3_000_000, 3_600_001);
  });

  test("refusals that nothing explains are counted over all dispatchers, and forgotten at a delivery", async () => {
    let refuses = true;
    using meta = Bun.serve({
      port: 0,
      fetch: () =>
        refuses
          ? Response.json({ error: { code: 100, message: "no reason" } }, { status: 400 })
          : Response.json({ events_received: 1 }),
    });
    const { outboxRoutes } = own.db.tables;
    const sendOne = async (i: number) => {
      await enqueueEvents(own.db, PIXEL, events(1, `u${i}-`));
      await testDispatcher(own.db, meta.url.origin).drain();
      const [route] = await own.db.select().from(outboxRoutes);
      return route;
    };
    for (let i = 0; i < 5; i++) expect((await sendOne(i))?.unexplained).toBe(i + 1);
    refuses = false;
    expect((await sendOne(5))?.unexplained).toBe(0);
    refuses = true;
    for (let i = 6; i < 25; i++) expect((await sendOne(i))?.pausedAt).toBeNull();
    expect((await sendOne(25))?.pausedBy).toBe("refusal");
    expect(await statusCounts(own.db)).toEqual({ dead: 24, delivered: 1, pending: 1 });
  });

  test("and at a delivery in the midst of the batch that refusals come of", async () => {
    using meta = Bun.serve({
      port: 0,
      fetch: async (request) =>
        (await request.text()).includes("bad")
          ? Response.json({ error: { code: 100, message: "no reason" } }, { status: 400 })
          : Response.json({ events_received: 1 }),
    });
    const send = async (ids: readonly string[]) => {
      await enqueueEvents(
        own.db,
        PIXEL,
        ids.map((id) => pageView(id)),
      );
      await testDispatcher(own.db, meta.url.origin).drain();
    };
    for (let i = 0; i < 19; i++) await send([`bad-${i}`]);
    await send(["good", "bad"]);
    expect(await statusCounts(own.db)).toEqual({ dead: 20, delivered: 1 });
    const [route] = await own.db.select().from(own.db.tables.outboxRoutes);
    expect(route).toMatchObject({ unexplained: 1, pausedAt: null });
  });

  test("a result that comes after the lease was lost changes nothing", async () => {
    const { outbox, outboxProgress } = own.db.tables;
    using meta = Bun.serve({
      port: 0,
      async fetch() {
        await own.db.transaction(async (tx) => {
          await tx.update(outboxProgress).set({ leaseId: "somebody-else", lastError: "mine now" });
        });
        return Response.json({ events_received: 2 });
      },
    });
    await enqueueEvents(own.db, PIXEL, events(2));
    await testDispatcher(own.db, meta.url.origin).drain();
    const rows = await own.db.select().from(outbox);
    expect(rows.map(({ status, leaseId, lastError }) => [status, leaseId, lastError])).toEqual([
      ["sending", "somebody-else", "mine now"],
      ["sending", "somebody-else", "mine now"],
    ]);
  });

  test("a refusal that comes after the lease was lost does not pause the route", async () => {
    using meta = Bun.serve({
      port: 0,
      async fetch() {
        await own.db.transaction(async (tx) => {
          await tx.update(own.db.tables.outboxProgress).set({ leaseId: "somebody-else" });
        });
        return Response.json({ error: { code: 190, message: "invalid token" } }, { status: 401 });
      },
    });
    await enqueueEvents(own.db, PIXEL, events(2));
    await testDispatcher(own.db, meta.url.origin).drain();
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
    expect((await attempts()).map(({ outcome }) => outcome)).toEqual(["credential"]);
  });

  test("four dispatchers side by side deliver every row once", async () => {
    for (let i = 0; i < 8; i++) await enqueueEvents(own.db, PIXEL, events(1_000, `b${i}-`));
    await Promise.all([1, 2, 3, 4].map(() => dispatcher().drain()));
    expect(await statusCounts(own.db)).toEqual({ delivered: 8_000 });
    expect(received()).toHaveLength(8_000);
    expect(received().some(({ duplicate }) => duplicate)).toBe(false);
  });

  test("a pixel that hangs holds up no other", async () => {
    const released = Promise.withResolvers<void>();
    using meta = Bun.serve({
      port: 0,
      async fetch(request) {
        const { data } = await request.json();
        if (request.url.includes(PIXEL)) await released.promise;
        return Response.json({ events_received: data.length });
      },
    });
    await addSendingPool(own.db, "two", OTHER);
    await enqueueEvents(own.db, PIXEL, events(2_000, "slow"));
    await enqueueEvents(own.db, OTHER, events(3_000, "fast"));
    const drained = testDispatcher(own.db, meta.url.origin).drain();
    const { outbox } = own.db.tables;
    const deliveredOf = (route: string) =>
      own.db.$count(outbox, sql`${outbox.route} = ${route} and ${outbox.status} = 'delivered'`);
    await until(async () => (await deliveredOf(OTHER)) >= 3_000);
    expect(await deliveredOf(PIXEL)).toBe(0);
    released.resolve();
    await drained;
    expect(await statusCounts(own.db)).toEqual({ delivered: 5_000 });
  }, 60_000);

  test("a database that takes nothing is left alone for a while, and the process has time for others", async () => {
    await enqueueEvents(own.db, PIXEL, events(1));
    let isFull = true;
    let tries = 0;
    const db: Database = {
      ...own.db,
      transaction(work) {
        if (!isFull) return own.db.transaction(work);
        tries++;
        return Promise.reject(new Error("database or disk is full"));
      },
    };
    const drained = testDispatcher(db, sandbox.url).drain();
    await until(() => tries !== 0, 1);
    isFull = false;
    await drained;
    expect(tries).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("once the outbox can be read again, lapsed leases are taken over, though the drain does not end", async () => {
    const released = Promise.withResolvers<void>();
    using meta = Bun.serve({
      port: 0,
      async fetch({ url }) {
        if (url.includes(OTHER)) await released.promise;
        return Response.json({ events_received: 1 });
      },
    });
    let failed = 0;
    let isAway = true;
    const db: Database = {
      ...own.db,
      rows(statement, values) {
        if (!isAway) return own.db.rows(statement, values);
        failed++;
        return Promise.reject(new Error("the database is restarting"));
      },
    };
    await addSendingPool(own.db, "two", OTHER);
    await enqueueEvents(own.db, OTHER, events(1, "hangs"));
    const running = testDispatcher(db, meta.url.origin);
    running.start();
    await until(() => failed > 0);
    isAway = false;
    await until(() => meta.pendingRequests > 0);
    const leaseUntil = new Date(Date.now() - 1_000);
    await addRows(own.db, 1, { route: PIXEL, status: "sending", leaseId: "dead", leaseUntil, attempts: 1 });
    await until(async () => (await statusCounts(own.db)).delivered === 1);
    released.resolve();
    await running.stop();
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
  }, 60_000);

  test("as many pixels that hang as there are slots hold up no other for the length of a time-out", async () => {
    const released = Promise.withResolvers<void>();
    let asked = 0;
    using meta = Bun.serve({
      port: 0,
      async fetch({ url }) {
        if (!url.includes(PIXEL)) asked++;
        if (!url.includes(PIXEL)) await released.promise;
        return Response.json({ events_received: 1 });
      },
    });
    for (let i = 0; i < 18; i++) {
      await addSendingPool(own.db, `hangs-${i}`, `90${i}`);
      await enqueueEvents(own.db, `90${i}`, events(1, `hangs-${i}-`));
    }
    const running = testDispatcher(own.db, meta.url.origin);
    running.start();
    await until(() => asked >= 15);
    await enqueueEvents(own.db, PIXEL, events(1));
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 1);
    released.resolve();
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 19);
    await running.stop();
    expect(await statusCounts(own.db)).toEqual({ delivered: 19 });
  }, 60_000);

  test("however often it is woken during a drain, nothing is kept for each time", async () => {
    const released = Promise.withResolvers<void>();
    using meta = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch() {
        await released.promise;
        return Response.json({ events_received: 1 });
      },
    });
    let wake = () => {};
    const listen: Database["listen"] = (_, heard) => {
      wake = heard;
      return () => {};
    };
    await enqueueEvents(own.db, PIXEL, events(1));
    const running = testDispatcher({ ...own.db, listen }, meta.url.origin);
    running.start();
    await until(() => meta.pendingRequests > 0, 5);
    {
      using reactions = spyOn(Promise.prototype, "then");
      for (let i = 0; i < 1_000; i++) wake();
      expect(reactions).not.toHaveBeenCalled();
    }
    released.resolve();
    await until(async () => (await statusCounts(own.db)).delivered === 1, 5);
    await running.stop();
  });

  test("started, it is woken by a commit and delivers without being asked", async () => {
    const running = dispatcher();
    running.start();
    await enqueueEvents(own.db, PIXEL, events(1));
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 1);
    expect(await own.db.$count(own.db.tables.dispatchers)).toBe(1);
    await running.stop();
    expect(await own.db.$count(own.db.tables.dispatchers)).toBe(0);
  });

  test("stopped while it gives its first sign of life, it leaves none", async () => {
    for (let i = 0; i < 10; i++) {
      const running = dispatcher();
      running.start();
      await running.stop();
    }
    expect(await own.db.$count(own.db.tables.dispatchers)).toBe(0);
  });

  // On Postgres the news comes over the network, by itself.
  test.skipIf(testDialect === "postgres")(
    "whoever waited for a commit goes on before the outbox is looked at",
    async () => {
      const order: string[] = [];
      const watched: Database = {
        ...own.db,
        rows(statement, values) {
          order.push("looked");
          return own.db.rows(statement, values);
        },
      };
      const running = testDispatcher(watched, sandbox.url);
      running.start();
      await until(() => order.length > 0);
      await own.db.writeElsewhere?.(async () => {
        order.length = 0;
        return ["outbox"];
      });
      // A visit's way from its batch to its answer.
      for (let i = 0; i < 20; i++) await Promise.resolve();
      order.push("answered");
      await until(() => order.includes("looked"));
      expect(order[0]).toBe("answered");
      await running.stop();
    },
  );
});
