import { afterAll, beforeAll, expect, test } from "bun:test";
import { createMisdatedSweep } from "../../src/outbox/misdated.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

const HOUR_MS = 3_600_000;

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

test(`what was put off by a clock that was ahead is due once that is set right; a wait that was asked for stays, on ${testDialect}`, async () => {
  const { db } = own;
  const inMs = (ms: number) => ({ availableAt: new Date(Date.now() + ms) });
  await addRows(db, 2_100, { route: "111", ...inMs(200 * 24 * HOUR_MS) });
  await addRows(db, 1, { route: "222", ...inMs(24 * HOUR_MS) });
  await addRows(db, 3, { route: "222", ...inMs(26 * HOUR_MS) });
  // Set right by a few hours, which somebody may have been told to wait: but not in the future.
  await addRows(db, 5, { route: "333", ...inMs(3 * HOUR_MS), createdAt: new Date(Date.now() + 3 * HOUR_MS) });
  const sweep = createMisdatedSweep({ db, log: createLog("silent") });
  expect(await sweep.run()).toBe(2_108);
  const dueIn = new Map((await waitingRoutes(db, db.dialect)).map(({ route, dueInMs }) => [route, dueInMs]));
  expect(dueIn.get("111")).toBeLessThanOrEqual(1_000);
  expect(dueIn.get("222")).toBeLessThanOrEqual(1_000);
  expect(dueIn.get("333")).toBeLessThanOrEqual(1_000);
  const { outboxProgress } = db.tables;
  const rows = await db.select({ at: outboxProgress.availableAt }).from(outboxProgress);
  expect(rows.filter(({ at }) => at.getTime() > Date.now() + HOUR_MS)).toHaveLength(1);
  expect(await sweep.run()).toBe(0);
});
