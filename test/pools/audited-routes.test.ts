import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asc } from "drizzle-orm";
import { findHold } from "../../src/outbox/holds.ts";
import { changeRoute } from "../../src/outbox/routes.ts";
import { outboxBacklog } from "../../src/outbox/status.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { pauseRouteBy, resumeRouteBy } from "../../src/pools/audited-routes.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

const key = { destination: "meta", route: "123" } as const;
const now = () => new Date();
const lane = { destination: "telegram", route: "7/mercadopago" } as const;

async function audited() {
  const { auditLog } = own.db.tables;
  return own.db.select().from(auditLog).orderBy(asc(auditLog.id));
}

describe(`the audit of what is held up on ${testDialect}`, () => {
  test("keeps why a route was paused after it was resumed", async () => {
    const deps = { db: own.db, now };
    await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "throttled", forMs: 60_000 }));
    await pauseRouteBy(deps, "cli", key, "holiday");
    await pauseRouteBy(deps, "api:other", key, "longer holiday");
    expect(await resumeRouteBy(deps, "console", key)).toBe(true);
    expect(await resumeRouteBy(deps, "console", key)).toBe(false);
    const paused = (reason: string) => ({ state: "paused", paused_reason: reason });
    expect(await audited()).toMatchObject([
      { actor: "cli", action: "outbox.pause", before: { state: "throttled" }, after: paused("holiday") },
      { actor: "api:other", before: paused("holiday"), after: paused("longer holiday") },
      {
        actor: "console",
        action: "outbox.resume",
        before: paused("longer holiday"),
        after: { state: "free" },
      },
    ]);
  });

  test("a lane waits with its bot, says so everywhere, and goes when it is resumed", async () => {
    await addRows(own.db, 1, lane);
    await own.db.transaction((tx) => changeRoute(tx, own.db, lane, { kind: "throttled", forMs: 60_000 }));
    const waitMs = async () => (await waitingRoutes(own.db, own.db.dialect))[0]?.dueInMs;
    const state = async () => (await outboxBacklog(own.db)).find(({ route }) => route === lane.route)?.state;
    const hold = () => findHold(own.db, own.db, lane, Date.now());
    expect(await waitMs()).toBeGreaterThan(50_000);
    expect(await state()).toBe("throttled");
    expect(await hold()).toMatchObject({ state: "throttled", until: expect.any(String) });
    for (const isResumed of [true, false]) {
      expect(await resumeRouteBy({ db: own.db, now }, "cli", lane)).toBe(isResumed);
      expect(await waitMs()).toBeLessThanOrEqual(0);
      expect(await state()).toBe("ready");
      expect(await hold()).toBeNull();
    }
  });
});
