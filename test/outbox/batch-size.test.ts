import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { maxBatchFor, pickBatch, pickProbe } from "../../src/outbox/batch-size.ts";
import { makeRetriesDue } from "../../src/outbox/make-retries-due.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  statusCounts,
  testDispatcher,
} from "../support/outbox.ts";

const PIXEL = "1111111111";

const tried = (attempts: number) => ({ attempts });

describe("how many rows go together", () => {
  test.each([
    [0, Number.POSITIVE_INFINITY],
    [3, Number.POSITIVE_INFINITY],
    [4, 512],
    [5, 256],
    [12, 2],
    [13, 1],
    [14, 1],
    [5_000, 1],
  ])("after %d tries in vain: %d", (attempts, most) => {
    expect(maxBatchFor(attempts)).toBe(most);
  });

  test.each([
    ["none of none", [], []],
    ["no more than fit", [0, 1, 2, 3, 0, 1], [0, 1, 2, 3, 0]],
    ["all that are new or nearly so", [0, 3, 1, 2], [0, 3, 1, 2]],
    ["new ones without those that failed often", [0, 9, 0, 13, 1], [0, 0, 1]],
    ["those that failed as often, no more than may", [12, 0, 12, 12], [12, 12]],
    ["one alone", [13, 13, 0], [13]],
    ["one alone, however often it failed", [700, 13, 0], [700]],
  ])("%s", (_, due, going) => {
    expect(pickBatch(due.map(tried), 5)).toEqual(going.map(tried));
  });

  test.each([
    ["those that were tried the least, as many as fit", [5, 1, 0, 13, 2, 0], [0, 0]],
    ["none of none", [], []],
    ["one alone where every one goes alone", [20, 14, 15], [14]],
  ])("as a probe: %s", (_, due, going) => {
    expect(pickProbe(due.map(tried), 2)).toEqual(going.map(tried));
  });
});

/** Two hours pass: everything that waits is due, in the order in which it has become so. */
async function passHours({ db }: { db: Database }) {
  const { now, plusMs } = db.dialect;
  const { outboxProgress, outboxRoutes } = db.tables;
  await db.transaction(async (tx) => {
    await tx
      .update(outboxProgress)
      .set({ availableAt: sql<Date>`${plusMs(sql`${outboxProgress.availableAt}`, -7_200_000)}` });
    await tx.update(outboxRoutes).set({ openUntil: sql<Date>`${plusMs(now, -1)}` });
  });
}

describe(`batches that fail again and again on ${testDialect}`, () => {
  let own: TestDatabase;
  beforeEach(async () => {
    own = await createTestDatabase();
    await addSendingPool(own.db, "one", PIXEL);
  });
  afterEach(() => own.dispose());

  /** A Meta that answers like this, and the ids of the events of each request. */
  function meta(answer: (ids: readonly string[]) => Promise<Response> | Response) {
    const asked: (readonly string[])[] = [];
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        const { data } = await request.json();
        const ids = data.map((event: { event_id: string }) => event.event_id);
        asked.push(ids);
        return answer(ids);
      },
    });
    return { asked, url: server.url.origin, [Symbol.dispose]: () => void server.stop(true) };
  }
  const taken = (ids: readonly string[]) => Response.json({ events_received: ids.length });
  const events = (n: number) => Array.from({ length: n }, (_, i) => pageView(`e${i}`));

  /** Drains, lets time pass, and drains again, so many times or until so many are delivered. */
  async function drainOften(url: string, rounds: number, { until = Number.NaN, timeoutMs = 30_000 } = {}) {
    for (let round = 1; round <= rounds; round++) {
      const dispatcher = testDispatcher(own.db, url, { timeoutMs });
      await dispatcher.drain();
      await dispatcher.stop();
      if ((await statusCounts(own.db)).delivered === until) return;
      await passHours(own);
    }
  }

  test.each([500, 400])(
    "one event for which Meta answers HTTP %d, code 1, holds nobody up for long",
    async (status) => {
      using other = meta((ids) =>
        ids.includes("bad")
          ? Response.json({ error: { code: 1, message: "An unknown error occurred" } }, { status })
          : taken(ids),
      );
      await enqueueEvents(own.db, PIXEL, [...events(450), pageView("bad"), ...events(900).slice(450)]);
      await drainOften(other.url, 20, { until: 900 });
      expect(await statusCounts(own.db)).toEqual({ delivered: 900, pending: 1 });
      expect(other.asked.length).toBeLessThan(60);

      await drainOften(other.url, 5);
      const sizes = other.asked.filter((ids) => ids.includes("bad")).map(({ length }) => length);
      expect(sizes.at(-1)).toBe(1);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    },
    60_000,
  );

  test("a Meta that takes its time for each event gets as many as it is done with in time", async () => {
    const overdue = Promise.withResolvers<Response>();
    using slow = meta((ids) => (ids.length > 400 ? overdue.promise : taken(ids)));
    await enqueueEvents(own.db, PIXEL, events(2_000));
    await drainOften(slow.url, 100, { until: 2_000, timeoutMs: 400 });
    expect(await statusCounts(own.db)).toEqual({ delivered: 2_000 });
  }, 60_000);

  test.each([
    [3_000, 12],
    [30, 31],
  ])(
    "of %d events an outage of Meta makes no storm, neither while it lasts nor when it ends",
    async (n, most) => {
      let isDown = true;
      using other = meta((ids) => (isDown ? new Response(null, { status: 503 }) : taken(ids)));
      await enqueueEvents(own.db, PIXEL, events(n));
      await drainOften(other.url, 40);
      const probes = other.asked.slice(8);
      expect(other.asked.length).toBeWithin(36, 45);
      expect(Math.max(...probes.map(({ length }) => length))).toBeLessThanOrEqual(10);

      isDown = false;
      const before = other.asked.length;
      await drainOften(other.url, 3, { until: n });
      expect(await statusCounts(own.db)).toEqual({ delivered: n });
      expect(other.asked.length - before).toBeLessThanOrEqual(most);
    },
    60_000,
  );

  test("after an outage rows that failed even alone wait for their own time, unless the route is resumed", async () => {
    const key = { destination: "meta" as const, route: PIXEL };
    const ids = [];
    for (const attempts of [1, 13, 14]) {
      ids.push(...(await addRows(own.db, 1, { ...key, attempts, availableInMs: 60_000 })));
    }
    const { outbox } = own.db.tables;
    const { now, plusMs } = own.db.dialect;
    const due = async () => {
      const rows = await own.db
        .select({ id: outbox.id })
        .from(outbox)
        // A machine's clock may be set back a little between two statements; the others are a minute away.
        .where(sql`${outbox.availableAt} <= ${plusMs(now, 1_000)}`);
      return rows.map(({ id }) => id).sort((a, b) => a - b);
    };
    await makeRetriesDue(own.db, key, 13);
    expect(await due()).toEqual(ids.slice(0, 2));
    await makeRetriesDue(own.db, key);
    expect(await due()).toEqual(ids);
  });
});
