import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { replay } from "../../src/outbox/replay.ts";
import { outboxBacklog, readOutboxState } from "../../src/outbox/status.ts";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { holdSession } from "../../src/tracking/find-session.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, bothAtOnce, statusCounts, turnRound } from "../support/outbox.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LONG_AGO = new Date(Date.now() - 40 * DAY_MS);
const retention = () => createRetention({ db: own.db, log: createLog("silent"), days: 30, pauseMs: 0 });

describe(`retention on ${testDialect}`, () => {
  test("removes what is done with and too old, in as many batches as it takes, and nothing else", async () => {
    for (const status of ["delivered", "expired", "discarded", "dead", "pending"] as const) {
      await addRows(own.db, status === "delivered" ? 5_000 : 10, { status, createdAt: LONG_AGO });
      await addRows(own.db, 3, { status });
    }
    // Thirty days are whole ones.
    const hourOff = (hours: number) => new Date(Date.now() - 30 * DAY_MS + hours * HOUR_MS);
    for (const hours of [-1, 1]) await addRows(own.db, 1, { status: "expired", createdAt: hourOff(hours) });
    expect(await retention().run()).toMatchObject({ outbox: 5_021 });
    expect(await statusCounts(own.db)).toEqual({
      delivered: 3,
      expired: 4,
      discarded: 3,
      dead: 13,
      pending: 13,
    });
    // What was sent goes with the row that says how far it got.
    expect(await own.db.$count(own.db.tables.outboxEvents)).toBe(36);
    expect(await retention().run()).toMatchObject({ outbox: 0 });
  }, 60_000);

  test.each([90, -10])(
    "what a clock that was ahead dated %d days from now keeps no more than as much that follows it",
    async (days) => {
      const { db, dispose } = await createTestDatabase();
      await addRows(db, 4_500, { status: "delivered", createdAt: new Date(Date.now() + days * DAY_MS) });
      await addRows(db, 4_500, { status: "delivered", createdAt: LONG_AGO });
      const removed = await createRetention({ db, log: createLog("silent"), days: 30, pauseMs: 0 }).run();
      expect(removed).toMatchObject({ outbox: 4_500 });
      await dispose();
    },
    60_000,
  );

  test("removes old requests, update numbers and sessions", async () => {
    const { outboxAttempts, telegramUpdates, sessions } = own.db.tables;
    const dates = [LONG_AGO, new Date()];
    await own.db.transaction(async (tx) => {
      for (const [i, at] of dates.entries()) {
        await tx.insert(outboxAttempts).values({
          destination: "meta",
          route: "1",
          outboxIds: [i],
          events: 1,
          outcome: "delivered",
          durationMs: 1,
          response: "{}",
          startedAt: at,
        });
        await tx.insert(telegramUpdates).values({ botId: 1, updateId: i, createdAt: at });
        const trackingToken =
          i === 0 ? firstIdAt(LONG_AGO.getTime()).slice(0, 20) + newId().slice(20) : newId();
        const times = { pageviewTs: at, createdAt: at, updatedAt: at };
        await tx
          .insert(sessions)
          .values({ trackingToken, rootEventId: `evt_${trackingToken}`, poolId: 1, botId: 1, ...times });
      }
    });
    expect(await retention().run()).toMatchObject({ outboxAttempts: 1, telegramUpdates: 1, sessions: 1 });
    for (const table of [outboxAttempts, telegramUpdates, sessions]) {
      expect(await own.db.$count(table)).toBe(1);
    }
  });

  test("removes sessions in as many batches as it takes, and none that came late, out of a spool", async () => {
    const { db, dispose } = await createTestDatabase();
    const { sessions } = db.tables;
    const tokenOf = (n: number) =>
      firstIdAt(LONG_AGO.getTime()).slice(0, 24) + n.toString(16).padStart(8, "0");
    const row = (n: number, createdAt: Date) => ({
      ...{ trackingToken: tokenOf(n), rootEventId: `evt_${tokenOf(n)}`, poolId: 1, botId: 1 },
      ...{ pageviewTs: LONG_AGO, createdAt, updatedAt: createdAt },
    });
    await db.transaction(async (tx) => {
      for (let n = 0; n < 1_200; n += 100)
        await tx.insert(sessions).values(Array.from({ length: 100 }, (_, i) => row(n + i, LONG_AGO)));
      await tx.insert(sessions).values(row(9_999, new Date()));
    });
    const removed = await createRetention({ db, log: createLog("silent"), days: 30, pauseMs: 0 }).run();
    expect(removed).toMatchObject({ sessions: 1_200 });
    expect(await db.select({ token: sessions.trackingToken }).from(sessions)).toEqual([
      { token: tokenOf(9_999) },
    ]);
    await dispose();
  });

  test("waits for no event that somebody retries, who may want another one", async () => {
    const { db, dispose } = await createTestDatabase();
    const ids = await addRows(db, 2, { status: "discarded", createdAt: LONG_AGO });
    await turnRound(db, ids);
    const [retried, removed] = await bothAtOnce(
      db,
      ids,
      () => replay(db, "retry", { ids }),
      () => createRetention({ db, log: createLog("silent"), days: 30, pauseMs: 0 }).run(),
    );
    expect(retried + (removed?.outbox ?? 0)).toBe(2);
    await dispose();
  });

  test("waits for no session that somebody holds, who may want another one, and takes it the next time", async () => {
    const { db } = own;
    const { sessions } = db.tables;
    const times = { pageviewTs: LONG_AGO, createdAt: LONG_AGO, updatedAt: LONG_AGO };
    const tokens = ["1", "2"].map((last) => firstIdAt(LONG_AGO.getTime()).slice(0, 31) + last);
    await db.transaction(async (tx) => {
      for (const trackingToken of tokens)
        await tx
          .insert(sessions)
          .values({ trackingToken, rootEventId: `evt_${trackingToken}`, poolId: 1, botId: 1, ...times });
    });
    const [first = "", second = ""] = tokens;
    let removed: ReturnType<ReturnType<typeof retention>["run"]> | undefined;
    await db.transaction(async (tx) => {
      await holdSession(tx, db, second);
      removed = retention().run();
      await untilHeldUp(db, removed);
      await holdSession(tx, db, first);
    });
    const isPostgres = testDialect === "postgres";
    expect(await removed).toMatchObject({ sessions: isPostgres ? 1 : 2 });
    expect(await retention().run()).toMatchObject({ sessions: isPostgres ? 1 : 0 });
  });

  test("lets others write after every five hundred rows", async () => {
    await addRows(own.db, 3_000, { status: "delivered", createdAt: LONG_AGO });
    let turns = 0;
    const db: Database = {
      ...own.db,
      transaction: (work, durability) => {
        turns++;
        return own.db.transaction(work, durability);
      },
    };
    const removed = await createRetention({ db, log: createLog("silent"), days: 30, pauseMs: 0 }).run();
    expect(removed).toMatchObject({ outbox: 3_000 });
    expect(turns).toBeGreaterThanOrEqual(3_000 / 500);
  });

  test("a stop in the middle is heard after the batch in hand", async () => {
    await addRows(own.db, 6_000, { status: "delivered", createdAt: LONG_AGO });
    const stopped = retention();
    const running = stopped.run();
    await stopped.stop();
    const { outbox } = await running;
    expect(outbox).toBeLessThan(6_000);
    expect((await retention().run()).outbox + outbox).toBe(6_000);
  });
});

test("a token's time lies in its first twelve digits", () => {
  const at = new Date();
  expect(newId() >= firstIdAt(at.getTime())).toBe(true);
  expect(newId() < firstIdAt(at.getTime() + DAY_MS)).toBe(true);
});

describe(`status on ${testDialect}`, () => {
  test("reads the operators' views with numbers and ISO times, the same on both databases", async () => {
    const createdAt = new Date("2026-03-01T23:30:00.123Z");
    await addRows(own.db, 2, { status: "pending", route: "555", createdAt, availableAt: createdAt });
    const { events: delivered } = await readOutboxState(own.db, { delivered: true });
    expect(delivered.some(({ status }) => status === "delivered")).toBe(true);
    const { events: waiting } = await readOutboxState(own.db, { delivered: false });
    expect(waiting.some(({ status }) => status === "delivered")).toBe(false);
    expect(waiting.find(({ status }) => status === "pending")).toMatchObject({
      destination: "meta",
      pool: null,
      event_name: "PageView",
      events: 15,
      newest_created_at: expect.stringMatching(/Z$/),
    });
    const [oldest] = (await outboxBacklog(own.db)).filter(({ route }) => route === "555");
    expect(oldest).toMatchObject({
      state: "ready",
      waiting: 2,
      due: 2,
      sending: 0,
      failures: 0,
      oldest_created_at: createdAt.toISOString(),
      next_at: createdAt.toISOString(),
      paused_at: null,
    });
    expect(oldest?.oldest_age_seconds).toBeGreaterThan(0);
  });
});
