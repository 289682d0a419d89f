import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import type { ClaimedRow } from "../../src/outbox/destination.ts";
import { createExpireWaiting } from "../../src/outbox/expire-waiting.ts";
import { claim } from "../../src/outbox/lease.ts";
import { metaDestination } from "../../src/outbox/meta-destination.ts";
import type { OnSettled } from "../../src/outbox/record-request.ts";
import { replay } from "../../src/outbox/replay.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, bothAtOnce, pageView, statusCounts, testSecrets, turnRound } from "../support/outbox.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

const tooOld = pageView("old", Math.floor(Date.now() / 1000) - 8 * 86_400);

function metaSweep(onSettled: OnSettled, log = createLog("silent")) {
  const graph = { graphUrl: "http://127.0.0.1:9", graphVersion: "v24.0" };
  const meta = metaDestination({ db: own.db, secrets: testSecrets, ...graph });
  return createExpireWaiting({ db: own.db, log, adapters: { meta }, onSettled });
}

test(`what becomes too old on a paused route ends as expired, and whoever asked to be told is, on ${testDialect}`, async () => {
  const { db } = own;
  await addRows(db, 700, { route: "111" });
  const [first] = await addRows(db, 650, { route: "111", payload: tooOld });
  await addRows(db, 10, { route: "222", payload: tooOld });
  // A bot of the same name, which nobody paused.
  await addRows(db, 10, { destination: "telegram", route: "111", payload: tooOld });
  await db.transaction(async (tx) => {
    await pauseRoute(tx, db, { destination: "meta", route: "111" }, "why");
    // Its dispatcher ends what is too old there.
    await changeRoute(tx, db, { destination: "meta", route: "222" }, { kind: "failed" });
  });
  const told: ClaimedRow[] = [];
  const lines: string[] = [];
  const log = createLog("info", { write: (line) => void lines.push(line) });
  const sweep = metaSweep(async (_tx, rows) => void told.push(...rows), log);
  expect(await sweep.run()).toBe(650);
  expect(await statusCounts(db)).toEqual({ pending: 720, expired: 650 });
  expect(told).toHaveLength(650);
  expect(Math.min(...told.map(({ id }) => id))).toBe(first ?? 0);
  expect(await sweep.run()).toBe(0);
  expect(lines.map((line) => JSON.parse(line).events)).toEqual([650]);
  const { outbox } = db.tables;
  const reasons = await db.selectDistinct({ status: outbox.status, reason: outbox.lastError }).from(outbox);
  expect(reasons.toSorted((a, b) => a.status.localeCompare(b.status))).toEqual([
    { status: "expired", reason: expect.stringContaining("while its route was paused") },
    { status: "pending", reason: null },
  ]);
});

test(`nothing ends where whoever asked to be told cannot write it down, on ${testDialect}`, async () => {
  const { db } = own;
  await addRows(db, 1, { route: "111", payload: tooOld });
  await db.transaction((tx) => pauseRoute(tx, db, { destination: "meta", route: "111" }, "why"));
  const sweep = metaSweep(() => Promise.reject(new Error("no room")));
  await expect(sweep.run()).rejects.toThrow("no room");
  expect(await statusCounts(db)).toEqual({ pending: 1 });
});

test(`what a dispatcher has taken between the look and the end is its own, on ${testDialect}`, async () => {
  const { db } = own;
  const route = { destination: "meta", route: "111" } as const;
  const [taken = 0] = await addRows(db, 3, { route: "111" });
  await db.transaction((tx) => pauseRoute(tx, db, route, "why"));
  const resumedMeanwhile: Database = {
    ...db,
    async transaction(work, durability) {
      await claim(db, "a-dispatcher", { ...route, limit: 1 });
      return db.transaction(work, durability);
    },
  };
  const told: number[] = [];
  const sweep = createExpireWaiting({
    db: resumedMeanwhile,
    log: createLog("silent"),
    adapters: {
      meta: { maxBatch: 1, isExpired: () => true, send: () => Promise.reject(new Error("never")) },
    },
    onSettled: async (_tx, rows) => void told.push(...rows.map(({ id }) => id)),
  });
  expect(await sweep.run()).toBe(2);
  expect(await statusCounts(db)).toEqual({ sending: 1, expired: 2 });
  expect(told).not.toContain(taken);
});

test(`nothing is waited for that somebody retries, who may want another event, on ${testDialect}`, async () => {
  const { db } = own;
  const ids = await addRows(db, 2, { route: "111", payload: tooOld });
  await turnRound(db, ids);
  await db.transaction((tx) => pauseRoute(tx, db, { destination: "meta", route: "111" }, "why"));
  const sweep = metaSweep(async () => undefined);
  const [retried] = await bothAtOnce(
    db,
    ids,
    () => replay(db, "retry", { ids }),
    () => sweep.run(),
  );
  expect(retried).toBeGreaterThan(0);
  await sweep.run();
  expect(await statusCounts(db)).toEqual({ expired: 2 });
});
