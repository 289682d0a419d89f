import { describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import type { Database, Tx } from "../../src/db/database.ts";
import { pauseRoute } from "../../src/outbox/change-route.ts";
import { CLOCK, type ClockMark, clockLeap, moveMark, watchClock } from "../../src/outbox/clock-leap.ts";
import { createExpireWaiting } from "../../src/outbox/expire-waiting.ts";
import { PIECE } from "../../src/outbox/limits.ts";
import { metaDestination } from "../../src/outbox/meta-destination.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { testDialect } from "../support/database.ts";
import { addRows, enqueueEvents, pageView, passTime, statusCounts, testSecrets } from "../support/outbox.ts";
import { until } from "../support/until.ts";
import { PIXEL, useDispatchers } from "./dispatching.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const log = createLog("silent");
const { own, dispatcher, received } = useDispatchers();

/** What the dispatcher saw of the clock `agoMs` before now; a clock that was ahead saw a time to come. */
async function lastSeen(db: Database, agoMs: number, leap: ClockMark["leap"] = null): Promise<void> {
  await db.transaction((tx) => noteSeen(tx, db, agoMs, leap));
}

async function noteSeen(tx: Tx, db: Database, agoMs: number, leap: ClockMark["leap"] = null): Promise<void> {
  const value = JSON.stringify({ seenAtMs: Date.now() - agoMs, leap });
  const kept = { value, updatedAt: new Date() };
  const { settings } = db.tables;
  await tx
    .insert(settings)
    .values({ key: CLOCK, ...kept })
    .onConflictDoUpdate({ target: settings.key, set: kept });
}

async function markOf(db: Database): Promise<string> {
  const { settings } = db.tables;
  const [row] = await db.select().from(settings).where(eq(settings.key, CLOCK));
  return row?.value ?? "";
}

const retention = (db: Database) => createRetention({ db, log, days: 30, pauseMs: 0 });
const tooOld = (eventId: string) => pageView(eventId, Math.floor((Date.now() - 8 * DAY_MS) / 1000));

describe(`a clock that leapt forward, on ${testDialect}`, () => {
  test("makes nothing old enough to be removed, until it is set right", async () => {
    await addRows(own.db, 5, { status: "delivered", createdAt: new Date(Date.now() - 40 * DAY_MS) });
    await lastSeen(own.db, 40 * DAY_MS);
    expect(await retention(own.db).run()).toMatchObject({ outbox: 0 });
    await watchClock(own.db, log);
    expect(await retention(own.db).run()).toMatchObject({ outbox: 0 });

    await lastSeen(own.db, -400 * DAY_MS, { fromMs: Date.now() - HOUR_MS, toMs: Date.now() + 400 * DAY_MS });
    expect(await retention(own.db).run()).toMatchObject({ outbox: 5 });
  });

  test("lets events wait that seem too old, at no attempt's cost, and end once it went steadily for a day", async () => {
    await addRows(own.db, 1, { route: PIXEL, payload: tooOld("old") });
    await enqueueEvents(own.db, PIXEL, [pageView("young")]);
    await lastSeen(own.db, 8 * DAY_MS);
    await dispatcher().drain();
    expect(received().map(({ event }) => event.event_id)).toEqual(["young"]);
    const [waiting] = await own.db.select().from(own.db.tables.outbox).orderBy(own.db.tables.outbox.id);
    expect(waiting).toMatchObject({ status: "pending", attempts: 0 });
    expect(waiting?.lastError).toContain("the clock leapt forward");
    expect(waiting?.availableAt.getTime()).toBeGreaterThan(Date.now() + HOUR_MS - MINUTE_MS);

    const leap = { fromMs: Date.now() - 9 * DAY_MS, toMs: Date.now() - DAY_MS };
    await lastSeen(own.db, MINUTE_MS, leap);
    const { outboxProgress } = own.db.tables;
    await own.db.transaction((tx) => tx.update(outboxProgress).set({ availableAt: new Date(0) }));
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ delivered: 1, expired: 1 });
  });

  test("lets visits wait, too, that come out of a spool only then, and what they say is sent once it is set right", async () => {
    const { outboxEvents } = own.db.tables;
    await lastSeen(own.db, 8 * DAY_MS);
    await enqueueEvents(own.db, PIXEL, [tooOld("spooled")]);
    await dispatcher().drain();
    expect(await statusCounts(own.db)).toEqual({ pending: 1 });

    await own.db.transaction((tx) => tx.update(outboxEvents).set({ payload: pageView("spooled") }));
    await passTime(own.db);
    await dispatcher().drain();
    expect(received().map(({ event }) => event.event_id)).toContain("spooled");
  });

  /** The look for what became too old on a paused route; `onEnded` is told of each piece, in its transaction. */
  async function pausedSweep(onEnded: (tx: Tx) => Promise<void> = async () => undefined) {
    await own.db.transaction((tx) => pauseRoute(tx, own.db, { destination: "meta", route: PIXEL }, "why"));
    const graph = { graphUrl: "http://127.0.0.1:9", graphVersion: "v24.0" };
    const meta = metaDestination({ db: own.db, secrets: testSecrets, ...graph });
    return createExpireWaiting({ db: own.db, log, adapters: { meta }, onSettled: onEnded });
  }

  test("ends nothing on a paused route", async () => {
    await addRows(own.db, 1, { route: PIXEL, payload: tooOld("old") });
    const sweep = await pausedSweep();
    await lastSeen(own.db, 8 * DAY_MS);
    expect(await sweep.run()).toBe(0);
    await lastSeen(own.db, 0);
    expect(await sweep.run()).toBe(1);
  });

  test("ends no more on a paused route where it leaps amid the look", async () => {
    await addRows(own.db, PIECE + 1, { route: PIXEL, payload: tooOld("old") });
    const sweep = await pausedSweep((tx) => noteSeen(tx, own.db, 8 * DAY_MS));
    expect(await sweep.run()).toBe(PIECE);
  });

  test("is told once, and is seen by a dispatcher that starts", async () => {
    const told: string[] = [];
    const telling = createLog("warn", { write: (line: string) => void told.push(line) });
    await lastSeen(own.db, 3 * DAY_MS);
    for (let i = 0; i < 3; i++) await watchClock(own.db, telling);
    expect(told.filter((line) => line.includes("the clock went on by more than a day"))).toHaveLength(1);
    expect(await clockLeap(own.db, own.db.dialect)).not.toBeNull();

    await lastSeen(own.db, 3 * DAY_MS);
    const started = dispatcher();
    started.start();
    await until(async () => (await markOf(own.db)).includes('"leap":{'));
    await started.stop();
  });

  test("is none where dispatchers run: a minute later, or where it was set back, it is written down anew", async () => {
    for (const [agoMs, isKept] of [
      [10_000, true],
      [2 * MINUTE_MS, false],
      [-HOUR_MS, false],
    ] as const) {
      await lastSeen(own.db, agoMs);
      const before = await markOf(own.db);
      await watchClock(own.db, log);
      expect((await markOf(own.db)) === before).toBe(isKept);
    }
  });

  test("is no leap where nobody ever looked, or what is kept cannot be read", async () => {
    expect(await clockLeap(own.db, own.db.dialect)).toBeNull();
    await lastSeen(own.db, 3 * DAY_MS);
    await own.db.transaction((tx) => tx.update(own.db.tables.settings).set({ value: "rubbish" }));
    expect(await clockLeap(own.db, own.db.dialect)).toBeNull();
  });
});

describe("what is kept of a clock", () => {
  const steps = fc.array(fc.integer({ min: 0, max: DAY_MS }), { maxLength: 60 });
  const start: ClockMark = { seenAtMs: 0, leap: null };
  const walk = (from: ClockMark, ahead: readonly number[]) =>
    ahead.reduce((mark, ms) => moveMark(mark, mark.seenAtMs + ms), from);

  test("doubts no clock that is seen at least once a day", () => {
    fc.assert(fc.property(steps, (ahead) => expect(walk(start, ahead).leap).toBeNull()));
  });

  test("doubts one that leapt for a day by itself, however it goes on, and no longer", () => {
    const leap = fc.integer({ min: DAY_MS + 1, max: 4_000 * DAY_MS });
    fc.assert(
      fc.property(leap, steps, (leapMs, ahead) => {
        const after = walk(moveMark(start, leapMs), ahead);
        const isDoubted = after.seenAtMs - leapMs < DAY_MS;
        expect(after.leap).toEqual(isDoubted ? { fromMs: 0, toMs: leapMs } : null);
      }),
    );
  });

  const leapt = moveMark(start, 400 * DAY_MS);

  test("believes one that is set back to a day after it leapt at most", () => {
    fc.assert(
      fc.property(fc.integer({ min: -400 * DAY_MS, max: DAY_MS }), (nowMs) =>
        expect(moveMark(leapt, nowMs)).toEqual({ seenAtMs: nowMs, leap: null }),
      ),
    );
  });

  test("doubts one that is set back by less, for a day from then on", () => {
    fc.assert(
      fc.property(fc.integer({ min: DAY_MS + 1, max: 400 * DAY_MS - 1 }), (nowMs) =>
        expect(moveMark(leapt, nowMs)).toEqual({ seenAtMs: nowMs, leap: { fromMs: 0, toMs: nowMs } }),
      ),
    );
  });
});
