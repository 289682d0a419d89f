import { describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { claim, reclaimExpired } from "../../src/outbox/lease.ts";
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

const { own, dispatcher, received, attempts, store } = useDispatchers();

describe(`leases and clocks of a dispatcher on ${testDialect}`, () => {
  test("the lease of a request that takes long is prolonged, so that nobody sends its rows a second time", async () => {
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

  test("an event from a machine whose clock is ahead is sent, with the time that it is", async () => {
    const seconds = () => Math.floor(Date.now() / 1000);
    await enqueueEvents(own.db, PIXEL, [pageView("ahead", seconds() + 90)]);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
    expect(received()[0]?.event.event_time).toBeWithin(seconds() - 10, seconds() + 1);
  });

  test("an event from a machine whose clock is ahead is sent, too, where an older version wrote it down as it came", async () => {
    await enqueueEvents(own.db, PIXEL, [pageView("ahead")]);
    await store("ahead", pageView("ahead", Math.floor(Date.now() / 1000) + 3_600));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("an event from a machine whose clock is ahead goes out with one and the same time, however often it is tried", async () => {
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

  test("a pause that a clock days ahead wrote is over, and one that may have been asked for is not", async () => {
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

  test("lapsed leases are taken over once the outbox can be read again, though the drain does not end", async () => {
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
});
