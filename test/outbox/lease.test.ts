import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Database, Reader } from "../../src/db/database.ts";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { claim, LEASE_MS, reclaimExpired, renewLeases } from "../../src/outbox/lease.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  statusCounts,
  testDispatcher,
} from "../support/outbox.ts";
import { until } from "../support/until.ts";

const DAY_MS = 86_400_000;

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

const inMs = (ms: number) => sql<Date>`${own.db.dialect.plusMs(own.db.dialect.now, ms)}`;
const lapsed = { status: "sending", leaseId: "dead", leaseUntil: new Date(0), attempts: 1 } as const;

/** A dispatcher that sends nothing, and so only takes over. */
const idle = (db: Database) => createDispatcher({ db, log: createLog("silent"), adapters: {} });

const countSending = (reader: Reader) =>
  reader.$count(own.db.tables.outboxProgress, eq(own.db.tables.outboxProgress.status, "sending"));

/** The database; in the midst of the first transaction that takes one of `rows` over, `meanwhile` is called. */
function whileTakingOver(rows: number, meanwhile: () => void): Database {
  let isCalled = false;
  return {
    ...own.db,
    transaction: (work, durability) =>
      own.db.transaction(async (tx) => {
        const result = await work(tx);
        if (!isCalled && (await countSending(tx)) < rows) {
          isCalled = true;
          meanwhile();
        }
        return result;
      }, durability),
  };
}

describe(`leases on ${testDialect}`, () => {
  test("who visits while a dead dispatcher's events are taken over waits for a few of them, and all are taken over", async () => {
    await addRows(own.db, 1_800, lapsed);
    let left: Promise<number> | undefined;
    const running = idle(
      whileTakingOver(1_800, () => {
        left = own.db.transaction(countSending);
      }),
    );
    running.start();
    await until(async () => (await statusCounts(own.db)).pending === 1_800);
    await running.stop();
    expect(await left).toBeGreaterThan(0);
  });

  test("who stops in the midst of that leaves the rest to the next", async () => {
    await addRows(own.db, 1_800, lapsed);
    let stopped: Promise<void> | undefined;
    const first = idle(
      whileTakingOver(1_800, () => {
        stopped = first.stop();
      }),
    );
    first.start();
    await until(() => stopped !== undefined);
    await stopped;
    // On Postgres it does not wait for the piece in hand.
    await until(async () => ((await statusCounts(own.db)).pending ?? 0) > 0);
    expect(await countSending(own.db)).toBeGreaterThan(0);
    const second = idle(own.db);
    second.start();
    await until(async () => (await statusCounts(own.db)).pending === 1_800);
    await second.stop();
  });

  test("two at once take over each event once", async () => {
    await addRows(own.db, 1_800, lapsed);
    const takeAll = async () => {
      let total = 0;
      for (let taken = 1; taken > 0; total += taken) taken = await reclaimExpired(own.db);
      return total;
    };
    const totals = await Promise.all([takeAll(), takeAll()]);
    // On Postgres one may leave to the other what that is about to take.
    expect(totals[0] + totals[1]).toBe(1_800);
    expect(await countSending(own.db)).toBe(0);
  });

  test("are taken of one destination: a pixel and a bot may have the same name", async () => {
    const [pixels = 0] = await addRows(own.db, 1, { destination: "meta", route: "7" });
    const [bots = 0] = await addRows(own.db, 1, { destination: "telegram", route: "7" });
    const take = (destination: "meta" | "telegram") =>
      claim(own.db, newId(), { destination, route: "7", limit: 9 });
    expect((await take("telegram")).map(({ id }) => id)).toEqual([bots]);
    expect((await take("meta")).map(({ id }) => id)).toEqual([pixels]);
  });

  test("of who takes over are its own, though a clock was set since it renewed them, and of others who live theirs", async () => {
    await addRows(own.db, 1, { ...lapsed, leaseId: "living", leaseUntil: new Date(Date.now() + LEASE_MS) });
    for (const leaseId of ["ours", "theirs"]) {
      await addRows(own.db, 2, { ...lapsed, leaseId });
      await addRows(own.db, 1, { ...lapsed, leaseId, leaseUntil: new Date(Date.now() + DAY_MS) });
    }
    const held = ["gone"];
    const busy: Database = {
      ...own.db,
      transaction(work, durability) {
        // Taken while the takeover waits for its turn.
        held.push("ours");
        return own.db.transaction(work, durability);
      },
    };
    expect(await reclaimExpired(busy, () => held)).toBe(3);
    const { outboxProgress } = own.db.tables;
    const sending = await own.db.select().from(outboxProgress).where(eq(outboxProgress.status, "sending"));
    expect(sending.map(({ leaseId }) => leaseId).sort()).toEqual(["living", "ours", "ours", "ours"]);
  });

  test("are renewed a piece at a time: those that need it, of whom they belong to, and no others", async () => {
    const { outboxProgress } = own.db.tables;
    const lease = async (n: number, leaseId: string, ms: number) => {
      const ids = await addRows(own.db, n, { ...lapsed, leaseId, route: `${leaseId} ${ms}` });
      await own.db.transaction((tx) =>
        tx
          .update(outboxProgress)
          .set({ leaseUntil: inMs(ms) })
          .where(own.db.dialect.anyId(sql`${outboxProgress.id}`, own.db.dialect.idList(ids))),
      );
    };
    await lease(1_100, "ours", 10_000);
    await lease(10, "ours", DAY_MS);
    await lease(10, "theirs", 10_000);
    // The last one: some seconds later it needs it, too.
    await lease(10, "ours", 19_000);
    const pieces: number[] = [];
    for (let piece = 1; piece > 0; pieces.push(piece)) piece = await renewLeases(own.db, ["ours", "gone"]);
    expect(pieces).toEqual([510, 500, 100, 0]);
    const { epochMs, now } = own.db.dialect;
    const left = await own.db.rows<{ route: string; s: number }>(sql`
      select route, min(${epochMs(sql`lease_until`)} - ${epochMs(now)}) / 1000 as s from outbox_progress group by route`);
    const seconds = new Map(left.map(({ route, s }) => [route, Number(s)]));
    for (const renewed of ["ours 10000", `ours ${DAY_MS}`])
      expect(seconds.get(renewed)).toBeWithin(12, 20.001);
    expect(seconds.get("theirs 10000")).toBeLessThanOrEqual(10);
  });

  test.each([
    ["forward", -DAY_MS],
    ["back", DAY_MS],
  ])(
    "a clock that is set %s while a request is under way lets its events not be sent twice",
    async (_, leaseInMs) => {
      const released = Promise.withResolvers<void>();
      let asked = 0;
      using meta = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        async fetch() {
          asked++;
          await released.promise;
          return Response.json({ events_received: 1 });
        },
      });
      await addSendingPool(own.db, "one", "111");
      await enqueueEvents(own.db, "111", [pageView("slow")]);
      const running = testDispatcher(own.db, meta.url.origin);
      running.start();
      await until(() => asked > 0);
      // Those of somebody who died are taken over, and show that it was looked for such.
      await addRows(own.db, 1, {
        ...lapsed,
        destination: "telegram",
        leaseUntil: new Date(Date.now() + 20_000),
      });
      const { outboxProgress } = own.db.tables;
      await own.db.transaction((tx) => tx.update(outboxProgress).set({ leaseUntil: inMs(leaseInMs) }));
      await until(async () => ((await statusCounts(own.db)).pending ?? 0) > 0);
      released.resolve();
      await until(async () => ((await statusCounts(own.db)).delivered ?? 0) > 0);
      await running.stop();
      expect(asked).toBe(1);
    },
  );
});
