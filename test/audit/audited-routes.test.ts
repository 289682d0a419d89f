import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asc, sql } from "drizzle-orm";
import { pauseRouteBy, resumeRouteBy } from "../../src/audit/audited-routes.ts";
import type { Destination } from "../../src/db/vocabulary.ts";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { findHold } from "../../src/outbox/holds.ts";
import type { RouteKey } from "../../src/outbox/routes.ts";
import { outboxBacklog } from "../../src/outbox/status.ts";
import { waitingRoutes } from "../../src/outbox/waiting-routes.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows, enqueueEvents, pageView } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "summer", metaPixelId: "123", metaTestEventCode: "T1" });
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
        after: { state: "ready" },
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

describe(`what a resumed route's rows waited for on ${testDialect}`, () => {
  const pixel = { destination: "meta", route: "500" } as const;
  const testLane = { destination: "meta", route: "500/T1" } as const;
  const later = { availableInMs: 3_600_000 };
  const tried = { ...later, attempts: 9, lastError: "no answer" };
  const toldToWait = { ...later, lastError: "slow down" };
  const resume = (route: RouteKey) => resumeRouteBy({ db: own.db, now }, "cli", route);

  async function dueOf(rows: Readonly<Record<string, readonly number[]>>) {
    const { outbox } = own.db.tables;
    const due = await own.db
      .select({ id: outbox.id })
      .from(outbox)
      .where(sql`${outbox.availableAt} <= ${own.db.dialect.now}`);
    const isDue = new Set(due.map(({ id }) => id));
    return Object.keys(rows).filter((name) => rows[name]?.every((id) => isDue.has(id)));
  }

  test("is over with the trouble, but for a first hold, and for other routes", async () => {
    const rows = {
      tried: await addRows(own.db, 2, { ...pixel, ...tried }),
      toldToWait: await addRows(own.db, 1, { ...pixel, ...toldToWait }),
      held: await addRows(own.db, 1, { ...pixel, ...later }),
      ofItsLane: await addRows(own.db, 1, { ...testLane, ...tried }),
      ofAnother: await addRows(own.db, 1, { ...tried, route: "5001" }),
    };
    expect(await resume(pixel)).toBe(false);
    expect(await dueOf(rows)).toEqual([]);
    await own.db.transaction((tx) => changeRoute(tx, own.db, pixel, { kind: "failed" }));
    expect(await resume(pixel)).toBe(true);
    expect(await dueOf(rows)).toEqual(["tried", "toldToWait"]);
  });

  test.each([
    ["the pixel", pixel],
    ["a lane", testLane],
  ])(
    "is over for the pixel and its lanes where it was told to rest and %s is resumed",
    async (_, resumed) => {
      const rows = {
        lane: await addRows(own.db, 1, { ...testLane, ...toldToWait }),
        pixel: await addRows(own.db, 1, { ...pixel, ...toldToWait }),
        ofAnother: await addRows(own.db, 1, { ...toldToWait, route: "5001" }),
      };
      const rest = { kind: "throttled", forMs: 3_600_000 } as const;
      await own.db.transaction((tx) => changeRoute(tx, own.db, testLane, rest));
      expect(await resume(resumed)).toBe(true);
      expect(await dueOf(rows)).toEqual(["lane", "pixel"]);
    },
  );
});

describe(`a pause on ${testDialect}`, () => {
  test.each<[destination: Destination, route: string, isKnown: boolean]>([
    ["meta", "123", true],
    ["meta", "123/T1", true],
    ["meta", "123/T2", false],
    ["meta", "123/T1/T1", false],
    ["meta", "124", false],
    ["meta", "", false],
    ["telegram", "1", true],
    ["telegram", "1/stripe", true],
    ["telegram", "1/telegram", true],
    ["telegram", "1/strpe", false],
    ["telegram", "1/", false],
    ["telegram", "1/stripe/stripe", false],
    ["telegram", "2/stripe", false],
    ["telegram", "01", false],
    ["telegram", "2", false],
    ["telegram", "123456789012345678901", false],
    ["telegram", "@summer_bot", false],
  ])("of the %s route %j is taken: %p", async (destination, route, isKnown) => {
    const deps = { db: own.db, now };
    const mistyped = { destination, route };
    expect(await pauseRouteBy(deps, "cli", mistyped, "why")).toBe(isKnown);
    expect(await resumeRouteBy(deps, "cli", mistyped)).toBe(isKnown);
  });

  test("is taken of a route whose events still wait, though no pool has its pixel any more", async () => {
    await enqueueEvents(own.db, "999", [pageView("evt_1")], "OLD");
    const removed = { destination: "meta", route: "999/OLD" } as const;
    expect(await pauseRouteBy({ db: own.db, now }, "cli", removed, "why")).toBe(true);
  });

  test("is not taken of one whose events have all gone", async () => {
    const gone = { destination: "meta", route: "998" } as const;
    await addRows(own.db, 1, { ...gone, status: "delivered" });
    expect(await pauseRouteBy({ db: own.db, now }, "cli", gone, "why")).toBe(false);
  });
});
