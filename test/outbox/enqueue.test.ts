import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { sql } from "drizzle-orm";
import { enqueue, type OutboxEntry } from "../../src/outbox/enqueue.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { pageView } from "../support/outbox.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(async () => {
  setSystemTime();
  await own.dispose();
});

const entry = (eventId: string, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
  destination: "meta",
  route: "123",
  eventName: "PageView",
  eventId,
  payload: pageView(eventId),
  ...more,
});
const put = (...entries: OutboxEntry[]) => own.db.transaction((tx) => enqueue(tx, own.db.tables, entries));
const rows = () => own.db.select().from(own.db.tables.outbox).orderBy(own.db.tables.outbox.id);

describe(`enqueue on ${testDialect}`, () => {
  test("writes what was given, due at once unless it is to be held", async () => {
    await put(
      entry("a", { poolId: 7, trackingToken: "f".repeat(32), paymentId: "p1" }),
      entry("b", { holdMs: 5_000 }),
    );
    const [a, b] = await rows();
    expect(a).toMatchObject({
      destination: "meta",
      route: "123",
      eventName: "PageView",
      eventId: "a",
      poolId: 7,
      trackingToken: "f".repeat(32),
      paymentId: "p1",
      status: "pending",
      attempts: 0,
      lastError: null,
    });
    expect(a?.payload).toMatchObject({ event_id: "a" });
    expect(a?.availableAt).toEqual(a?.createdAt ?? new Date(0));
    expect((b?.availableAt.getTime() ?? 0) - (b?.createdAt.getTime() ?? 0)).toBe(5_000);
  });

  test("names the person it tells of, whoever else's are written with it", async () => {
    await put(entry("of a stranger"), entry("of somebody", { botUserId: 5 }));
    const { outboxEvents } = own.db.tables;
    const written = await own.db.select().from(outboxEvents).orderBy(outboxEvents.id);
    expect(written.map(({ botUserId }) => botUserId)).toEqual([null, 5]);
  });

  test("an event that is there already stays as it is, and each entry hears of itself", async () => {
    expect(await put(entry("a"), entry("b"))).toEqual([true, true]);
    expect(await put(entry("b"), entry("c"), entry("c"))).toEqual([false, true, false]);
    // The same id is another event elsewhere.
    expect(await put(entry("a", { destination: "telegram", payload: { method: "sendMessage" } }))).toEqual([
      true,
    ]);
    expect(await rows()).toHaveLength(4);
  });

  test("goes with its transaction: rolled back, nothing is there", async () => {
    const failing = own.db.transaction(async (tx) => {
      await enqueue(tx, own.db.tables, [entry("a")]);
      throw new Error("the payment was not confirmed after all");
    });
    await expect(failing).rejects.toThrow("after all");
    expect(await rows()).toEqual([]);
  });

  test("wakes the dispatchers only where something may leave at once", async () => {
    let wakeUps = 0;
    const firstWakeUp = Promise.withResolvers<void>();
    const stop = own.db.listen("outbox", () => {
      wakeUps++;
      firstWakeUp.resolve();
    });
    if (testDialect === "postgres") await firstWakeUp.promise; // Said once when listening begins.
    const before = wakeUps;
    await put(entry("held", { holdMs: 60_000 }));
    await put(entry("bad", { payload: {} }));
    expect(wakeUps).toBe(before);
    await put(entry("due"));
    // In this process listeners hear of a commit before the transaction resolves.
    expect(wakeUps).toBeGreaterThan(before);
    stop();
  });

  test("what Meta is certain to refuse is dead on arrival, with the reason, and is never sent", async () => {
    const { event_id: _, ...nameless } = pageView("bad");
    await put(entry("bad", { payload: nameless }), entry("good"));
    expect((await rows()).map(({ status, lastError }) => [status, lastError])).toEqual([
      ["dead", expect.stringContaining("event_id is missing")],
      ["pending", null],
    ]);
  });

  test("an event of the future has the time of its transaction, for good; one without a good time stays as it is", async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const milliseconds = Date.now();
    await put(
      entry("ahead", { payload: pageView("ahead", seconds + 90) }),
      entry("past", { payload: pageView("past", seconds - 90) }),
      entry("bad", { payload: pageView("bad", milliseconds) }),
    );
    const [ahead, past, bad] = (await rows()).map(({ payload, createdAt, status }) => ({
      ...Object(payload),
      createdAt,
      status,
    }));
    expect(ahead).toMatchObject({ status: "pending", event_id: "ahead" });
    expect(ahead.event_time).toBe(Math.floor(ahead.createdAt.getTime() / 1000));
    expect(past).toMatchObject({ status: "pending", event_time: seconds - 90 });
    expect(bad).toMatchObject({ status: "dead", event_time: milliseconds });
  });

  test.if(testDialect === "postgres")(
    "goes by the database's clock where this process's own is an hour off",
    async () => {
      await put(entry("first"));
      setSystemTime(new Date(Date.now() + 3_600_000));
      await put(entry("second"));
      const [late] = await own.db.rows<{ n: number }>(
        sql`select count(*)::int as n from outbox where available_at > ${own.db.dialect.now}`,
      );
      expect(late?.n).toBe(0);
    },
  );
});
