import { describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  passTime,
  statusCounts,
  testDispatcher,
} from "../support/outbox.ts";
import { until } from "../support/until.ts";
import { events, OTHER, PIXEL, useDispatchers } from "./dispatching.ts";

const { own, dispatcher, fault, received, posts, attempts, store } = useDispatchers();

describe(`batches of a dispatcher on ${testDialect}`, () => {
  test("what is due is delivered in batches of a thousand, and every request written down", async () => {
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
    // Many batches share a route, and one that nothing ails is not written to.
    expect(await own.db.$count(own.db.tables.outboxRoutes)).toBe(0);
  });

  test("each pixel and each test code is sent apart, with nothing mixed", async () => {
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

  test("what Meta remarks on events that it took stands beside them", async () => {
    using meta = Bun.serve({
      port: 0,
      fetch: () => Response.json({ events_received: 1, messages: ["fbc is old"], fbtrace_id: "T1" }),
    });
    await enqueueEvents(own.db, PIXEL, events(1));
    await testDispatcher(own.db, meta.url.origin).drain();
    const { outbox } = own.db.tables;
    expect(await own.db.select().from(outbox)).toMatchObject([
      { status: "delivered", lastError: "fbc is old", fbtraceId: "T1" },
    ]);
  });

  test("held rows are left alone until their time", async () => {
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
    ["500", { mode: "500", times: 1 }, 1, expect.any(String)],
    ["a reset connection", { mode: "reset", times: 1 }, null, null],
    ["garbage", { mode: "garbage", times: 1 }, null, null],
  ])("%s is tried again later, and the events arrive once", async (_, body, code, fbtraceId) => {
    await fault(body);
    await enqueueEvents(own.db, PIXEL, events(3));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ pending: 3 });
    const [row] = await own.db.select().from(own.db.tables.outbox).limit(1);
    expect(row).toMatchObject({ attempts: 1, fbtraceId });
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

  test("one bad event of a thousand is dead alone with Meta's words, in O(log n) requests", async () => {
    await enqueueEvents(own.db, PIXEL, events(1_000));
    await store("e617", { ...pageView("e617"), user_data: { em: "not-hashed" } });
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 999, dead: 1 });
    const { outbox } = own.db.tables;
    const [dead] = await own.db.select().from(outbox).where(eq(outbox.status, "dead"));
    expect(dead?.eventId).toBe("e617");
    expect(dead?.lastError).toContain("data[0]");
    expect(dead?.fbtraceId).toBeTruthy();
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

  test("refusals that nothing explains are forgotten at a delivery in the midst of the batch that they come of", async () => {
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
});
