import { describe, expect, spyOn, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { createLog } from "../../src/platform/log.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { testDialect } from "../support/database.ts";
import { addRows, addSendingPool, enqueueEvents, statusCounts, testDispatcher } from "../support/outbox.ts";
import { until } from "../support/until.ts";
import { events, OTHER, PIXEL, useDispatchers } from "./dispatching.ts";

const { own, dispatcher, received } = useDispatchers();

/** Takes every event, once it is let go. */
function hangingMeta(released: Promise<void>) {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch() {
      await released;
      return Response.json({ events_received: 1 });
    },
  });
}

describe(`dispatcher on ${testDialect}`, () => {
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
    const drained = dispatcher(db).drain();
    await until(() => tries !== 0, 1);
    isFull = false;
    await drained;
    expect(tries).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("a database that takes nothing is told of with what to do, also where nothing waits", async () => {
    const lines: string[] = [];
    const db: Database = {
      ...own.db,
      transaction: () =>
        Promise.reject(Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" })),
    };
    const log = createLog("warn", { write: (line) => void lines.push(line) });
    const running = createDispatcher({ db, log, adapters: {} });
    running.start();
    await until(() => lines.length >= 2);
    await running.stop();
    expect(lines.filter((line) => !line.includes('"todo":"make room on the database\'s disk"'))).toEqual([]);
  });

  test("an outbox that cannot be read is told of with what to do", async () => {
    const lines: string[] = [];
    const db: Database = {
      ...own.db,
      rows: () => Promise.reject(new Error("no such table: outbox_progress")),
    };
    const log = createLog("warn", { write: (line) => void lines.push(line) });
    const running = createDispatcher({ db, log, adapters: {} });
    running.start();
    const told = () => lines.find((line) => line.includes("the outbox cannot be read"));
    await until(() => told() !== undefined);
    await running.stop();
    expect(told()).toContain('"todo":"run: bun run ponte migrate');
  });

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

  test("a dispatcher that is woken during a drain keeps nothing for each time, however often that is", async () => {
    const released = Promise.withResolvers<void>();
    using meta = hangingMeta(released.promise);
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

  test("a dispatcher that was started is woken by a commit and delivers without being asked", async () => {
    const running = dispatcher();
    running.start();
    await enqueueEvents(own.db, PIXEL, events(1));
    await until(async () => ((await statusCounts(own.db)).delivered ?? 0) >= 1);
    // Its sign of life has a connection of its own, and comes at its own time.
    await until(async () => (await own.db.$count(own.db.tables.dispatchers)) === 1);
    await running.stop();
    expect(await own.db.$count(own.db.tables.dispatchers)).toBe(0);
  });

  test("a dispatcher that is stopped while it gives its first sign of life leaves none", async () => {
    for (let i = 0; i < 10; i++) {
      const running = dispatcher();
      running.start();
      await running.stop();
    }
    expect(await own.db.$count(own.db.tables.dispatchers)).toBe(0);
  });

  test.each([
    ["finds something", () => undefined],
    ["hears that it is gone", () => Promise.reject(new Error("the database is restarting"))],
  ])(
    "a dispatcher that is stopped while it looks at the outbox, and %s, sends nothing, and leaves then",
    async (_, answer) => {
      await enqueueEvents(own.db, PIXEL, events(1));
      const looking = Promise.withResolvers<void>();
      const found = Promise.withResolvers<void>();
      let written = 0;
      const slow: Database = {
        ...own.db,
        async rows(statement, values) {
          const rows = await own.db.rows<never>(statement, values);
          looking.resolve();
          await found.promise.then(answer);
          return rows;
        },
        transaction(work) {
          written++;
          return own.db.transaction(work);
        },
      };
      const running = dispatcher(slow);
      const drained = running.drain().catch(() => undefined);
      await looking.promise;
      const stopped = running.stop();
      await yieldToEventLoop();
      expect(written).toBe(0);
      found.resolve();
      await Promise.all([drained, stopped]);
      // That it is gone.
      expect(written).toBe(1);
      expect(received()).toEqual([]);
      expect(await statusCounts(own.db)).toEqual({ pending: 1 });
    },
  );

  test("a stop waits for what is under way, though the outbox could not be looked at meanwhile", async () => {
    const released = Promise.withResolvers<void>();
    using meta = hangingMeta(released.promise);
    let isAway = false;
    let written = 0;
    const db: Database = {
      ...own.db,
      rows: (statement, values) =>
        isAway ? Promise.reject(new Error("the database is restarting")) : own.db.rows(statement, values),
      transaction(work) {
        written++;
        return own.db.transaction(work);
      },
    };
    await enqueueEvents(own.db, PIXEL, events(1));
    const running = testDispatcher(db, meta.url.origin);
    running.drain().catch(() => undefined);
    await until(() => meta.pendingRequests > 0, 5);
    isAway = true;
    await expect(running.drain()).rejects.toThrow("restarting");
    isAway = false;
    written = 0;
    const stopped = running.stop();
    await yieldToEventLoop();
    expect(written).toBe(0);
    released.resolve();
    await stopped;
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("what comes while the outbox is looked at is sent by the drain that looks", async () => {
    let looks = 0;
    const db: Database = {
      ...own.db,
      async rows(statement, values) {
        const rows = await own.db.rows<never>(statement, values);
        if (++looks === 1) {
          await enqueueEvents(own.db, PIXEL, events(1));
          void running.drain();
        }
        return rows;
      },
    };
    const running = dispatcher(db);
    await running.drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("a row that falls due within the second goes by itself; where nothing waits, nothing is looked at again", async () => {
    const running = dispatcher();
    {
      using timers = spyOn(globalThis, "setTimeout");
      await running.drain();
      // It would be over at once.
      expect(timers.mock.calls.map(([, ms]) => ms)).not.toContain(Number.POSITIVE_INFINITY);
    }
    await addRows(own.db, 1, { route: PIXEL, availableInMs: 200 });
    await running.drain();
    await until(async () => (await statusCounts(own.db)).delivered === 1);
    await running.stop();
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
      const running = dispatcher(watched);
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
