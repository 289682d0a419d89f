import { afterEach, beforeEach, describe, expect, setSystemTime, spyOn, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import type { DestinationAdapter } from "../../src/outbox/destination.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { reclaimExpired } from "../../src/outbox/lease.ts";
import type { OnSettled } from "../../src/outbox/record-request.ts";
import { formatRoute } from "../../src/outbox/routes.ts";
import { createLog } from "../../src/platform/log.ts";
import { eraseEvents } from "../../src/privacy/outbox-events.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, statusCounts } from "../support/outbox.ts";
import { until } from "../support/until.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

/** How many events the log says were lost to others, line by line. */
let lost: number[];

/**
 * Sends messages, of which only one at a time goes through; after it was asked the database is away for so many
 * transactions, or commits them without telling. Answers how often something was tried again.
 */
async function deliverSome({
  messages = 1,
  awayFor = 0,
  silentFor = 0,
  meanwhile = async () => undefined,
  onSettled = async () => undefined,
}: {
  messages?: number;
  awayFor?: number;
  silentFor?: number;
  /** What happens while the database is away. */
  meanwhile?: () => Promise<unknown>;
  onSettled?: OnSettled;
}) {
  lost = [];
  await addRows(own.db, messages, { destination: "telegram", route: "1", eventName: "delivery" });
  let away = 0;
  let silent = 0;
  const flaky: Database = {
    ...own.db,
    async transaction(work, durability) {
      if (away-- > 0) {
        await meanwhile();
        throw new Error("the database is restarting");
      }
      const done = await own.db.transaction(work, durability);
      if (silent-- > 0) throw new Error("the connection broke after the commit");
      return done;
    },
  };
  const answer = { status: 200, code: null, subcode: null, fbtraceId: null, durationMs: 1, response: "{}" };
  const dispatcher = createDispatcher({
    db: flaky,
    log: createLog("warn", {
      write(line) {
        const { lost: events } = JSON.parse(line);
        if (events !== undefined) lost.push(events);
      },
    }),
    onSettled,
    adapters: {
      telegram: {
        maxBatch: messages,
        isExpired: () => false,
        async send(_, rows) {
          away = awayFor;
          silent = silentFor;
          if (rows.length === 1) return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer };
          return { verdict: { kind: "partial", reason: "one of them", pauseMs: null }, answer };
        },
      },
    },
  });
  using sleep = spyOn(Bun, "sleep").mockImplementation(() => Promise.resolve());
  await dispatcher.drain();
  await dispatcher.stop();
  return sleep.mock.calls.length;
}

describe(`what follows from a row's end on ${testDialect}`, () => {
  test("a database that was away until the last try loses nothing of it", async () => {
    const ended: string[] = [];
    const tries = await deliverSome({
      awayFor: 7,
      onSettled: async (_, rows, { kind }) =>
        void ended.push(...rows.map(({ eventName }) => `${eventName} ${kind}`)),
    });
    expect(tries).toBe(7);
    expect(ended).toEqual(["delivery delivered"]);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });

  test("a commit whose answer is lost is not made up for: request and end are there once", async () => {
    let asked = 0;
    const tries = await deliverSome({ silentFor: 1, onSettled: async () => void asked++ });
    expect(tries).toBe(1);
    expect(asked).toBe(1);
    expect(lost).toEqual([]);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
    const { outboxAttempts } = own.db.tables;
    expect(await own.db.select().from(outboxAttempts)).toMatchObject([{ outcome: "delivered", events: 1 }]);
  });

  test("and so is a request after which its events are sent apart", async () => {
    expect(await deliverSome({ messages: 2, silentFor: 1, onSettled: async () => undefined })).toBe(3);
    expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
    const { outboxAttempts } = own.db.tables;
    const attempts = await own.db.select().from(outboxAttempts).orderBy(outboxAttempts.id);
    expect(attempts.map(({ outcome, events }) => `${events} ${outcome}`)).toEqual([
      "2 partial",
      "1 delivered",
      "1 delivered",
    ]);
  });

  test("where the database did not have it, it is written down by the next try", async () => {
    expect(await deliverSome({ messages: 2, awayFor: 1, onSettled: async () => undefined })).toBe(3);
    expect(await own.db.$count(own.db.tables.outboxAttempts)).toBe(3);
  });

  test("and so it is where the lease was lost meanwhile, whose rows are left to whoever took them", async () => {
    const { outboxAttempts, outboxProgress } = own.db.tables;
    const takeOver = () =>
      own.db.transaction((tx) => tx.update(outboxProgress).set({ leaseId: "another's" }));
    await deliverSome({ awayFor: 1, meanwhile: takeOver });
    expect(await own.db.$count(outboxAttempts)).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ sending: 1 });
  });

  test("nor is an earlier request with the same answer taken for it", async () => {
    const { outboxAttempts, outboxProgress } = own.db.tables;
    const repeat = async () => {
      if ((await own.db.$count(outboxAttempts)) > 0) return;
      const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
      await own.db.transaction((tx) =>
        tx.insert(outboxAttempts).values({
          destination: "telegram",
          route: "1",
          outboxIds: rows.map(({ id }) => Number(id)),
          events: 2,
          outcome: "partial",
          status: 200,
          durationMs: 1,
          response: "{}",
          startedAt: sql<Date>`${own.db.dialect.plusMs(own.db.dialect.now, -2_000)}`,
        }),
      );
    };
    await deliverSome({ messages: 2, awayFor: 1, meanwhile: repeat });
    expect(await own.db.$count(outboxAttempts)).toBe(4);
  });

  test("of rows of which some were taken over meanwhile it is told of the others alone, and the log of those", async () => {
    await addRows(own.db, 3, { eventName: "Lead" });
    const { outboxProgress } = own.db.tables;
    const lines: string[] = [];
    const told: number[] = [];
    let [first, ...others]: number[] = [];
    const dispatcher = createDispatcher({
      db: own.db,
      log: createLog("warn", { write: (line) => void lines.push(line) }),
      onSettled: async (_, rows) => void told.push(...rows.map(({ id }) => id)),
      adapters: {
        meta: {
          maxBatch: 3,
          isExpired: () => false,
          async send(_, rows) {
            [first, ...others] = rows.map(({ id }) => id);
            await own.db.transaction((tx) =>
              tx
                .update(outboxProgress)
                .set({ leaseId: "another's" })
                .where(eq(outboxProgress.id, first ?? 0)),
            );
            return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null };
          },
        },
      },
    });
    await dispatcher.drain();
    await dispatcher.stop();
    expect(told).toEqual(others);
    expect(await statusCounts(own.db)).toEqual({ sending: 1, delivered: 2 });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ lost: 1 }]);
  });

  test("where it is what fails, the row comes to its end without it, and is not sent again", async () => {
    let asked = 0;
    await deliverSome({
      onSettled: async () => {
        asked++;
        throw new TypeError("a bug");
      },
    });
    expect(asked).toBe(7);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1 });
  });
});

/** Sends whatever waits in the way of the test. */
async function drainBy(send: DestinationAdapter["send"], db = own.db): Promise<void> {
  const dispatcher = createDispatcher({
    db,
    log: createLog("silent"),
    adapters: { meta: { maxBatch: 50, isExpired: () => false, send } },
  });
  await dispatcher.drain();
  await dispatcher.stop();
}

test(`a stop while a batch is sent apart gives back what was not asked for, at no attempt's cost, on ${testDialect}`, async () => {
  await addRows(own.db, 4);
  let stopped: Promise<void> | undefined;
  const dispatcher = createDispatcher({
    db: own.db,
    log: createLog("silent"),
    adapters: {
      meta: {
        maxBatch: 50,
        isExpired: () => false,
        async send(_, rows, signal) {
          if (rows.length === 4)
            return { verdict: { kind: "partial", reason: "some", pauseMs: null }, answer: null };
          stopped = dispatcher.stop(0);
          await until(() => signal.aborted);
          return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null };
        },
      },
    },
  });
  await dispatcher.drain();
  await stopped;
  const { outboxProgress } = own.db.tables;
  const rows = await own.db.select().from(outboxProgress).orderBy(outboxProgress.id);
  expect(rows.map(({ status, attempts, leaseId }) => [status, attempts, leaseId])).toEqual([
    ["delivered", 1, null],
    ["delivered", 1, null],
    ["pending", 0, null],
    ["pending", 0, null],
  ]);
});

test(`refusals that are explained do not pause the route with one that nothing explains, on ${testDialect}`, async () => {
  const ids = await addRows(own.db, 25);
  await drainBy(async (_, rows) => {
    const isUnexplained = rows.some(({ id }) => id === ids.at(-1));
    return { verdict: { kind: "invalid", reason: "no", as: "dead", isUnexplained }, answer: null };
  });
  expect(await statusCounts(own.db)).toEqual({ dead: 25 });
  expect(await own.db.select().from(own.db.tables.outboxRoutes)).toMatchObject([
    { unexplained: 1, pausedAt: null },
  ]);
});

test(`the first refusal that nothing explains is forgotten at a delivery in the same batch, on ${testDialect}`, async () => {
  const [bad] = await addRows(own.db, 2);
  await drainBy(async (_, rows) => {
    if (!rows.some(({ id }) => id === bad))
      return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null };
    return { verdict: { kind: "invalid", reason: "no", as: "dead", isUnexplained: true }, answer: null };
  });
  expect(await statusCounts(own.db)).toEqual({ dead: 1, delivered: 1 });
  expect(await own.db.select().from(own.db.tables.outboxRoutes)).toMatchObject([{ unexplained: 0 }]);
});

test.each(["failures", "throttles", "unexplained"] as const)(
  `one of a route's %s alone is forgotten at the next delivery, on ${testDialect}`,
  async (column) => {
    const { outboxRoutes } = own.db.tables;
    const key = { destination: "meta" as const, route: "111" };
    const updatedAt = sql<Date>`${own.db.dialect.now}`;
    await own.db.transaction((tx) => tx.insert(outboxRoutes).values({ ...key, [column]: 1, updatedAt }));
    await addRows(own.db, 1, key);
    await drainBy(async () => ({ verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null }));
    expect(await own.db.select().from(outboxRoutes)).toMatchObject([{ [column]: 0 }]);
  },
);

test(`a delivery with which the other side asks to slow down holds its whole pixel up, though nothing ailed it, on ${testDialect}`, async () => {
  await addRows(own.db, 1, { route: formatRoute("111", "TEST1") });
  await drainBy(async () => ({ verdict: { kind: "delivered", note: null, pauseMs: 60_000 }, answer: null }));
  const routes = await own.db.select().from(own.db.tables.outboxRoutes);
  const pauses = routes.map(({ route, throttledUntil, updatedAt }) => [
    route,
    throttledUntil && throttledUntil.getTime() - updatedAt.getTime(),
  ]);
  expect(pauses.toSorted()).toEqual([
    ["111", 60_000],
    [formatRoute("111", "TEST1"), null],
  ]);
});

test(`a fault of ours sets a batch back like any failure, for all to see, on ${testDialect}`, async () => {
  await addRows(own.db, 2);
  let asked = 0;
  const send = () => {
    asked++;
    return Promise.reject(new TypeError("a bug"));
  };
  await drainBy(send);
  const row = {
    status: "pending",
    attempts: asked,
    leaseId: null,
    lastError: expect.stringContaining("a bug"),
  };
  expect(await own.db.select().from(own.db.tables.outboxProgress)).toMatchObject([row, row]);
  expect(await own.db.select().from(own.db.tables.outboxRoutes)).toMatchObject([{ failures: asked }]);
});

test(`a statement that failed is told of in the database's words, without what anybody's row holds, on ${testDialect}`, async () => {
  const { outboxProgress } = own.db.tables;
  await addRows(own.db, 1);
  const send = async () => {
    await own.db.select().from(outboxProgress).where(sql`no_such_column = ${"Ana Silva"}`);
    throw new Error("the statement did not fail");
  };
  await drainBy(send);
  const [row] = await own.db.select().from(outboxProgress);
  expect(row?.lastError).toContain("no_such_column");
  expect(row?.lastError).not.toContain("Ana");
});

test(`a route that is paused for refusals that nothing explains says so as loudly as one for its token, on ${testDialect}`, async () => {
  await addRows(own.db, 25);
  const lines: string[] = [];
  const answer = { status: 400, code: 100, subcode: null, fbtraceId: null, durationMs: 1, response: "{}" };
  const dispatcher = createDispatcher({
    db: own.db,
    log: createLog("error", { write: (line) => void lines.push(line) }),
    adapters: {
      meta: {
        maxBatch: 50,
        isExpired: () => false,
        send: async () => ({
          verdict: { kind: "invalid", reason: "no reason", as: "dead", isUnexplained: true },
          answer,
        }),
      },
    },
  });
  await dispatcher.drain();
  expect(await statusCounts(own.db)).toEqual({ dead: 19, pending: 6 });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      route: "123",
      msg: expect.stringContaining("route paused"),
      reason: expect.stringContaining("20 events in a row"),
    },
  ]);
});

const DELIVERED = { verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null } as const;
const ids = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id);

test(`who slept between taking a batch and sending it sends nothing that others have sent since, on ${testDialect}`, async () => {
  await addRows(own.db, 2);
  const sent: number[][] = [];
  const send: DestinationAdapter["send"] = async (_, rows) => {
    sent.push(ids(rows));
    return DELIVERED;
  };
  const sleepy: Database = {
    ...own.db,
    async transaction(work, durability) {
      const done = await own.db.transaction(work, durability);
      if (sent.length > 0 || (await statusCounts(own.db)).sending === undefined) return done;
      setSystemTime(new Date(Date.now() + 3 * 86_400_000));
      const past = own.db.dialect.plusMs(own.db.dialect.now, -1_000);
      await own.db.transaction((tx) =>
        tx.rows(sql`update outbox_progress set lease_until = ${past} returning id`),
      );
      await reclaimExpired(own.db);
      await drainBy(send);
      return done;
    },
  };
  try {
    await drainBy(send, sleepy);
  } finally {
    setSystemTime();
  }
  expect(sent).toHaveLength(1);
  expect(await statusCounts(own.db)).toEqual({ delivered: 2 });
});

test(`what is erased while a batch is sent apart is not sent any more, on ${testDialect}`, async () => {
  const [, erased = 0, ...others] = await addRows(own.db, 4);
  const sent: number[][] = [];
  await drainBy(async (_, rows) => {
    sent.push(ids(rows));
    if (sent.length > 1) return DELIVERED;
    await own.db.transaction((tx) => eraseEvents(tx, own.db, [erased]));
    return { verdict: { kind: "partial", reason: "some", pauseMs: null }, answer: null };
  });
  expect(sent.slice(1).flat()).not.toContain(erased);
  expect(sent.slice(1).flat()).toEqual(expect.arrayContaining(others));
  expect(await statusCounts(own.db)).toEqual({ delivered: 3, discarded: 1 });
});
