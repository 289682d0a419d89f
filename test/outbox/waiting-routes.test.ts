import { afterEach, beforeEach, expect, test } from "bun:test";
import { changeRoute, pauseRoute } from "../../src/outbox/change-route.ts";
import type { RouteKey } from "../../src/outbox/routes.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

let own: TestDatabase;
beforeEach(async () => {
  own = await createTestDatabase();
});
afterEach(() => own.dispose());

test(`a pause, a breaker and a rest hold back their own pixel or bot, and none of the same name, on ${testDialect}`, async () => {
  const { db } = own;
  const routes = ["paused", "failed", "throttled", "throttled/TEST1"];
  for (const route of routes) {
    await addRows(db, 1, { destination: "meta", route });
    await addRows(db, 1, { destination: "telegram", route });
  }
  const bot = (route: string): RouteKey => ({ destination: "telegram", route });
  await db.transaction(async (tx) => {
    await pauseRoute(tx, db, bot("paused"), "why");
    for (let i = 0; i < 5; i++) await changeRoute(tx, db, bot("failed"), { kind: "failed" });
    await changeRoute(tx, db, bot("throttled"), { kind: "throttled", forMs: 60_000 });
  });
  const waiting = await waitingRoutes(db, db.dialect);
  const of = (destination: string) =>
    waiting
      .filter((found) => found.destination === destination)
      .map(({ route, dueInMs, failures, throttles }) => ({ route, isDue: dueInMs <= 0, failures, throttles }))
      .sort((a, b) => routes.indexOf(a.route) - routes.indexOf(b.route));
  const well = { isDue: true, failures: 0, throttles: 0 };
  expect(of("meta")).toEqual(routes.map((route) => ({ route, ...well })));
  expect(of("telegram")).toEqual([
    { route: "failed", isDue: false, failures: 5, throttles: 0 },
    { route: "throttled", isDue: false, failures: 0, throttles: 1 },
    { route: "throttled/TEST1", isDue: false, failures: 0, throttles: 0 },
  ]);
});
