import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { OUTBOX_STATUSES } from "../../src/db/vocabulary.ts";
import { erasedPayload } from "../../src/outbox/erased.ts";
import { claim } from "../../src/outbox/lease.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { countReplay, replay, replayedStatuses } from "../../src/outbox/replay.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, emptyOutbox, pageView, statusCounts } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());
beforeEach(() => emptyOutbox(own.db));

describe(`replay on ${testDialect}`, () => {
  test("retries what is dead or expired, and nothing that nobody asked for", async () => {
    for (const status of ["dead", "expired", "discarded", "delivered", "sending", "pending"] as const) {
      await addRows(own.db, 2, { status, attempts: 9 });
    }
    const all = { filter: {} };
    expect(await countReplay(own.db, "retry", all)).toBe(4);
    expect(await replay(own.db, "retry", all)).toBe(4);
    expect(await statusCounts(own.db)).toEqual({ pending: 6, discarded: 2, delivered: 2, sending: 2 });
    expect(await replay(own.db, "retry", { filter: { status: "discarded" } })).toBe(2);
    const rows = await own.db.select().from(own.db.tables.outbox);
    // Those that waited already keep their count; the others start anew.
    expect(rows.filter(({ attempts }) => attempts === 0)).toHaveLength(6);
  });

  test("never touches what was delivered or is being sent, not even by its id", async () => {
    const delivered = await addRows(own.db, 3, { status: "delivered" });
    const sending = await addRows(own.db, 3, { status: "sending" });
    const ids = [...delivered, ...sending];
    expect(await replay(own.db, "retry", { ids })).toBe(0);
    expect(await replay(own.db, "discard", { ids })).toBe(0);
    expect(replayedStatuses("retry", { filter: { status: "delivered" } })).toEqual([]);
    expect(await statusCounts(own.db)).toEqual({ delivered: 3, sending: 3 });
  });

  test("takes certain rows, whatever the state they wait in", async () => {
    const [dead = 0] = await addRows(own.db, 2, { status: "dead" });
    const [waiting = 0] = await addRows(own.db, 2, { status: "pending", availableInMs: 3_600_000 });
    expect(await countReplay(own.db, "retry", { ids: [dead, waiting] })).toBe(2);
    expect(await replay(own.db, "retry", { ids: [dead, waiting] })).toBe(2);
    const { now } = own.db.dialect;
    expect(
      await own.db.$count(own.db.tables.outbox, sql`available_at <= ${now} and status = 'pending'`),
    ).toBe(2);
    expect(await replay(own.db, "discard", { ids: [dead] })).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ dead: 1, pending: 2, discarded: 1 });
  });

  test.each([
    ["retry", ["pending", "dead", "expired", "discarded"]],
    ["discard", ["pending", "dead", "expired"]],
  ] as const)("%s takes, where they are asked for by name, those that are %p", async (action, possible) => {
    for (const status of OUTBOX_STATUSES) {
      await addRows(own.db, 2, { status, availableInMs: 3_600_000 });
      const asked = { filter: { status } };
      const rows = possible.some((one) => one === status) ? 2 : 0;
      expect(await countReplay(own.db, action, asked)).toBe(rows);
      expect(await replay(own.db, action, asked)).toBe(rows);
      await emptyOutbox(own.db);
    }
  });

  test("a row that is due, but was tried before, is retried once: it counts anew", async () => {
    await addRows(own.db, 1, { status: "pending", attempts: 1 });
    expect(await replay(own.db, "retry", { filter: { status: "pending" } })).toBe(1);
    expect(await replay(own.db, "retry", { filter: { status: "pending" } })).toBe(0);
  });

  test("what goes along with a batch is told what it changed, and where that fails nothing is changed", async () => {
    const ids = await addRows(own.db, 3, { status: "dead" });
    await addRows(own.db, 3, { status: "delivered" });
    const told: (readonly number[])[] = [];
    const record = async (_: unknown, changed: readonly number[]) => void told.push(changed.toSorted());
    await expect(
      replay(own.db, "discard", { ids }, { record: () => Promise.reject(new Error("no room")) }),
    ).rejects.toThrow("no room");
    expect(await statusCounts(own.db)).toEqual({ dead: 3, delivered: 3 });
    await replay(own.db, "discard", { ids }, { record });
    await replay(own.db, "discard", { ids }, { record });
    expect(told).toEqual([ids]);
  });

  test("ends after the batch in hand when it is told to", async () => {
    await addRows(own.db, 2_500, { status: "dead" });
    const stop = new AbortController();
    const hooks = { signal: stop.signal, onProgress: () => stop.abort() };
    expect(await replay(own.db, "retry", { filter: {} }, hooks)).toBe(1_000);
    expect(await statusCounts(own.db)).toEqual({ pending: 1_000, dead: 1_500 });
  });

  test("never sends again what a person was erased from", async () => {
    await addRows(own.db, 1, { status: "discarded", payload: erasedPayload(pageView("evt_erased")) });
    const [kept = 0] = await addRows(own.db, 1, { status: "discarded" });
    expect(await replay(own.db, "retry", { filter: { status: "discarded" } })).toBe(1);
    const [retried] = await own.db.select().from(own.db.tables.outbox).where(sql`status = 'pending'`);
    expect(retried?.id).toBe(kept);
  });

  test("asks nobody to pay who has paid, and delivers nothing that was paid back; both can be discarded", async () => {
    const sale = { provider: "generic", amountMinor: 4990, currency: "BRL" };
    const at = { createdAt: new Date(), updatedAt: new Date() };
    const retried: Record<string, string[]> = {};
    for (const status of ["chargeback", "refunded", "paid", "pending"] as const) {
      const id = newId();
      await own.db.transaction((tx) =>
        tx.insert(own.db.tables.payments).values({ id, providerRef: id, status, ...sale, ...at }),
      );
      for (const eventName of ["checkout", "delivery", "Purchase"]) {
        const [row = 0] = await addRows(own.db, 1, { status: "dead", eventName, paymentId: id });
        const isRetried = (await replay(own.db, "retry", { ids: [row] })) === 1;
        if (isRetried) retried[status] = [...(retried[status] ?? []), eventName];
        expect(await replay(own.db, "discard", { ids: [row] })).toBe(1);
      }
    }
    expect(retried).toEqual({
      pending: ["checkout", "delivery", "Purchase"],
      paid: ["delivery", "Purchase"],
      refunded: ["Purchase"],
      chargeback: ["Purchase"],
    });
  });

  test("narrows down by pool, route, event, destination, text and time", async () => {
    const { pool } = await addPool(own.db, { slug: "summer" });
    const at = new Date("2026-03-01T00:00:00Z");
    await addRows(own.db, 1, { status: "dead", poolId: pool.id });
    await addRows(own.db, 1, { status: "dead", route: "777" });
    await addRows(own.db, 1, { status: "dead", eventName: "Purchase" });
    await addRows(own.db, 1, { status: "dead", destination: "telegram" });
    await addRows(own.db, 1, { status: "dead", lastError: "Invalid 100% EMAIL" });
    await addRows(own.db, 1, { status: "dead", createdAt: at });
    const count = (filter: object) => countReplay(own.db, "retry", { filter });
    expect(await count({})).toBe(6);
    expect(await count({ pool: "summer" })).toBe(1);
    expect(await count({ pool: "nobody" })).toBe(0);
    expect(await count({ route: "777" })).toBe(1);
    expect(await count({ eventName: "Purchase" })).toBe(1);
    expect(await count({ destination: "telegram" })).toBe(1);
    expect(await count({ text: "100% email" })).toBe(1);
    expect(await count({ text: "100_ email" })).toBe(0);
    expect(await count({ after: at, before: new Date(at.getTime() + 1) })).toBe(1);
    expect(await count({ before: at })).toBe(0);
    expect(await replay(own.db, "discard", { filter: { pool: "summer" } })).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ dead: 5, discarded: 1 });
  });

  test.each(["retry", "discard"] as const)("narrows down what waits, too: %s", async (action) => {
    const waits = { status: "pending", attempts: 4, availableInMs: 3_600_000 } as const;
    await addRows(own.db, 2, { ...waits, route: "111" });
    await addRows(own.db, 3, { ...waits, route: "222" });
    const selection = { filter: { status: "pending", route: "111" } } as const;
    expect(await countReplay(own.db, action, selection)).toBe(2);
    expect(await replay(own.db, action, selection)).toBe(2);
    const { outbox } = own.db.tables;
    const untouched = await own.db.select().from(outbox).where(sql`status = 'pending' and attempts = 4`);
    expect(untouched.map(({ route }) => route)).toEqual(["222", "222", "222"]);
  });

  test("goes through ten thousand rows in batches, telling how far it is, and wakes the dispatchers", async () => {
    await addRows(own.db, 10_000, { status: "dead" });
    const woken = Promise.withResolvers<void>();
    const stop = own.db.listen("outbox", woken.resolve);
    const progress: number[] = [];
    expect(await replay(own.db, "retry", { filter: {} }, { onProgress: (done) => progress.push(done) })).toBe(
      10_000,
    );
    expect(progress.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => (i + 1) * 1_000));
    expect(await statusCounts(own.db)).toEqual({ pending: 10_000 });
    await woken.promise;
    stop();
  });

  test("twenty thousand rows are retried in pieces, between which others write and dispatchers take", async () => {
    for (let i = 0; i < 2; i++) await addRows(own.db, 10_000, { status: "dead" });
    const pieces: number[] = [];
    let isDone = false;
    const replayed = replay(
      own.db,
      "retry",
      { filter: {} },
      {
        record: async (_, changed) => {
          pieces.push(changed.length);
        },
      },
    ).finally(() => {
      isDone = true;
    });
    let taken = 0;
    let whileReplayed = 0;
    while (!isDone) {
      taken += (await claim(own.db, newId(), { destination: "meta", route: "123", limit: 100 })).length;
      if (!isDone) whileReplayed++;
      await Bun.sleep(1);
    }
    expect(await replayed).toBe(20_000);
    // No transaction held more rows than a batch, and the dispatcher had its turns in between.
    expect(Math.max(...pieces)).toBeLessThanOrEqual(1_000);
    expect(pieces.length).toBeGreaterThanOrEqual(20);
    expect(whileReplayed).toBeGreaterThan(1);
    expect(taken).toBeGreaterThan(0);
    expect(await statusCounts(own.db)).toEqual({ pending: 20_000 - taken, sending: taken });
  }, 300_000);

  test("goes through what waits, changing each row once, and leaves alone what is due anyway", async () => {
    for (const route of ["111", "222", "333"]) {
      await addRows(own.db, 1_500, { route, status: "pending", availableInMs: 3_600_000, attempts: 4 });
    }
    await addRows(own.db, 10, { route: "222", status: "pending" });
    const waiting = { filter: { status: "pending" } } as const;
    expect(await countReplay(own.db, "retry", waiting)).toBe(4_500);
    const progress: number[] = [];
    expect(await replay(own.db, "retry", waiting, { onProgress: (done) => progress.push(done) })).toBe(4_500);
    expect(progress).toEqual([1_000, 2_000, 3_000, 4_000, 4_500]);
    expect(await replay(own.db, "retry", waiting)).toBe(0);
    expect(await replay(own.db, "discard", waiting)).toBe(4_510);
  });

  // Statistics are as old as the last autovacuum: what they miss may not multiply the work.
  test.skipIf(testDialect === "sqlite")(
    "reads each row a few times, though the table was empty when analyzed",
    async () => {
      const fresh = await createTestDatabase();
      await addRows(fresh.db, 2_000, { status: "dead" });
      await emptyOutbox(fresh.db);
      await fresh.db.rows(sql`analyze outbox_progress, outbox_events`);
      await addRows(fresh.db, 2_000, { status: "pending", attempts: 4, availableInMs: 3_600_000 });
      for (const action of ["retry", "discard"] as const) {
        const read: number[] = [];
        await replay(
          fresh.db,
          action,
          { filter: { status: "pending" } },
          {
            record: async (tx) => {
              const [row] = await tx.rows<{ n: string }>(
                sql`select seq_tup_read + idx_tup_fetch as n from pg_stat_xact_user_tables where relname = 'outbox_progress'`,
              );
              read.push(Number(row?.n));
            },
          },
        );
        expect(read).toHaveLength(2);
        expect(Math.min(...read)).toBeGreaterThanOrEqual(1_000);
        expect(Math.max(...read)).toBeLessThan(50_000);
      }
      await fresh.dispose();
    },
  );

  test("a list pages through what a filter matches, newest first", async () => {
    const ids = await addRows(own.db, 5, { status: "dead" });
    await addRows(own.db, 3, { status: "delivered" });
    const first = await listOutbox(own.db, { status: "dead" }, { limit: 3 });
    expect(first.items.map(({ id }) => id)).toEqual(ids.slice(2).reverse());
    const cursor = Number(first.next_cursor);
    const second = await listOutbox(own.db, { status: "dead" }, { cursor, limit: 3 });
    expect(second.items.map(({ id }) => id)).toEqual(ids.slice(0, 2).reverse());
    expect(second.next_cursor).toBeNull();
    expect((await listOutbox(own.db, {}, { limit: 50 })).items).toHaveLength(8);
    expect((await listOutbox(own.db, { status: "pending" }, { limit: 50 })).items).toEqual([]);
  });
});
