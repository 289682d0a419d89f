import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { and, eq, gt, sql } from "drizzle-orm";
import { resumeRouteBy } from "../../src/audit/audited-routes.ts";
import type { Database, Reader, Tx } from "../../src/db/database.ts";
import { ALONE_AFTER } from "../../src/outbox/batch-size.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import { makeRetriesDue } from "../../src/outbox/make-retries-due.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import {
  addRows,
  addSendingPool,
  enqueueEvents,
  pageView,
  passTime,
  statusCounts,
  testDispatcher,
} from "../support/outbox.ts";

const KEY = { destination: "meta", route: "111" } as const;
const RETRIES = 1_200;

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

const later = { availableInMs: 3_600_000 };
const addRetries = () => addRows(own.db, RETRIES, { ...KEY, ...later, attempts: 2, lastError: "down" });
const resume = (db: Database) => resumeRouteBy({ db, now: () => new Date() }, "cli", KEY);

/** How many rows wait for a time that is a minute away, or more. */
function countPutOff(reader: Reader): Promise<number> {
  const { outboxProgress } = own.db.tables;
  const { now, plusMs } = own.db.dialect;
  const isPutOff = gt(outboxProgress.availableAt, sql`${plusMs(now, 60_000)}`);
  return reader.$count(outboxProgress, and(eq(outboxProgress.status, "pending"), isPutOff));
}

/** The database; each transaction that makes rows due ends with `then`. */
function afterEachPiece(then: (tx: Tx, left: number) => void | Promise<void>): Database {
  return {
    ...own.db,
    transaction: (work, durability) =>
      own.db.transaction(async (tx) => {
        const before = await countPutOff(tx);
        const result = await work(tx);
        const left = await countPutOff(tx);
        if (left < before) await then(tx, left);
        return result;
      }, durability),
  };
}

/** Waits for what other connections do meanwhile, which may take long to open; SQLite's one has its turn after the piece. */
async function besides(work: Promise<unknown>): Promise<void> {
  if (testDialect === "postgres") await work;
}

/** As it stands after failures; its rest is over. */
async function letProbe(): Promise<void> {
  const { db } = own;
  for (let i = 0; i < 5; i++) await db.transaction((tx) => changeRoute(tx, db, KEY, { kind: "failed" }));
  await passTime(db);
}

/** Whatever is sent arrives, once `meanwhile` is done; answers how many requests there were. */
async function drain(db: Database, meanwhile = async () => {}): Promise<number> {
  let asked = 0;
  using meta = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      asked++;
      const { data } = await request.json();
      await meanwhile();
      return Response.json({ events_received: data.length });
    },
  });
  const dispatcher = testDispatcher(db, meta.url.origin);
  await dispatcher.drain();
  await dispatcher.stop();
  return asked;
}

describe(`what failed, when its route may go again, on ${testDialect}`, () => {
  test("is made due a piece at a time where an operator resumes it, and who visits meanwhile is let by", async () => {
    await addRetries();
    await own.db.transaction((tx) => pauseRoute(tx, own.db, KEY, "why"));
    let seen: Promise<number> | undefined;
    const watched = afterEachPiece(async () => {
      seen ??= own.db.transaction(countPutOff);
      await besides(seen);
    });
    expect(await resume(watched)).toBe(true);
    expect(await seen).toBeGreaterThan(0);
    expect(await countPutOff(own.db)).toBe(0);
  });

  test("and where a probe got through, too", async () => {
    await addSendingPool(own.db, "one", KEY.route);
    await letProbe();
    await addRetries();
    await enqueueEvents(own.db, KEY.route, [pageView("probe")]);
    let seen: Promise<number> | undefined;
    const watched = afterEachPiece(async () => {
      seen ??= own.db.transaction(countPutOff);
      await besides(seen);
    });
    await drain(watched);
    expect(await seen).toBeGreaterThan(0);
    expect(await statusCounts(own.db)).toEqual({ delivered: RETRIES + 1 });
  });

  test("stays held up by its route where the resuming dies in the midst, and goes when that is done again", async () => {
    await addSendingPool(own.db, "one", KEY.route);
    await addRetries();
    await own.db.transaction((tx) => pauseRoute(tx, own.db, KEY, "why"));
    const dying = afterEachPiece((_, left) => {
      if (left < RETRIES - 500) throw new Error("killed");
    });
    await expect(resume(dying)).rejects.toThrow("killed");
    expect(await drain(own.db)).toBe(0);
    expect(await resume(own.db)).toBe(true);
    await drain(own.db);
    expect(await statusCounts(own.db)).toEqual({ delivered: RETRIES });
  });

  test("waits for the operator who pauses the route between two pieces, and goes when it is resumed", async () => {
    await addSendingPool(own.db, "one", KEY.route);
    await letProbe();
    await addRetries();
    await enqueueEvents(own.db, KEY.route, [pageView("probe")]);
    const paused = afterEachPiece((tx) => pauseRoute(tx, own.db, KEY, "again"));
    expect(await drain(paused)).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1, pending: RETRIES });
    await resume(own.db);
    await drain(own.db);
    expect(await statusCounts(own.db)).toEqual({ delivered: RETRIES + 1 });
  });

  test("goes at its own time where the database fails then; what the probe brought is no failure", async () => {
    await addSendingPool(own.db, "one", KEY.route);
    await letProbe();
    await addRetries();
    await enqueueEvents(own.db, KEY.route, [pageView("probe")]);
    const failing = afterEachPiece(() => Promise.reject(new Error("the database is restarting")));
    expect(await drain(failing)).toBe(1);
    expect(await statusCounts(own.db)).toEqual({ delivered: 1, pending: RETRIES });
    expect(await own.db.select().from(own.db.tables.outboxRoutes)).toMatchObject([{ failures: 0 }]);
  });

  test("waits on where the probe's lease was lost before its answer came", async () => {
    await addSendingPool(own.db, "one", KEY.route);
    await letProbe();
    await addRetries();
    await enqueueEvents(own.db, KEY.route, [pageView("probe")]);
    await drain(own.db, () =>
      own.db.transaction(async (tx) => {
        await tx.update(own.db.tables.outboxProgress).set({ leaseId: "somebody-else" });
      }),
    );
    expect(await countPutOff(own.db)).toBe(RETRIES);
  });

  test("is all made due by two at the same time", async () => {
    await addRetries();
    await Promise.all([makeRetriesDue(own.db, KEY), makeRetriesDue(own.db, KEY)]);
    expect(await countPutOff(own.db)).toBe(0);
  });

  test("goes at its own time on other routes: another pixel's always, a lane's unless the pixel was told to slow down", async () => {
    const { db } = own;
    const routes = ["111", "111/TEST1", "222"].map((route) => ({ ...KEY, route }));
    for (const key of routes) await addRows(db, 1, { ...key, ...later, attempts: 1, lastError: "down" });
    const pauseAll = () =>
      db.transaction(async (tx) => {
        for (const key of routes) await pauseRoute(tx, db, key, "why");
      });
    await pauseAll();
    await resume(db);
    expect(await countPutOff(db)).toBe(2);
    await pauseAll();
    await db.transaction((tx) => changeRoute(tx, db, KEY, { kind: "throttled", forMs: 60_000 }));
    await resume(db);
    expect(await countPutOff(db)).toBe(1);
  });

  test("is made due by a probe without what never failed and was only told to wait, such as for a chat's quiet", async () => {
    await addRows(own.db, 1, { ...KEY, ...later, attempts: 1, lastError: "down" });
    await addRows(own.db, 2, { ...KEY, ...later, lastError: "its chat rests: slow down" });
    await makeRetriesDue(own.db, KEY, ALONE_AFTER);
    expect(await countPutOff(own.db)).toBe(2);
    await makeRetriesDue(own.db, KEY);
    expect(await countPutOff(own.db)).toBe(0);
  });
});
