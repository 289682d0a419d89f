import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createDispatcher } from "../../src/outbox/dispatcher.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { enqueueEvents, pageView } from "../support/outbox.ts";

const ROUTES = ["1111", "2222", "3333", "4444"];
const BATCHES = 12;

/** By how many batches, at the worst moment, the route served most was ahead of the one served least. */
function widestLead(served: readonly string[]): number {
  const counts = new Map(ROUTES.map((route) => [route, 0]));
  const leads = served.map((route) => {
    counts.set(route, (counts.get(route) ?? 0) + 1);
    return Math.max(...counts.values()) - Math.min(...counts.values());
  });
  return Math.max(...leads);
}

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

describe(`a dispatcher with less room than there are routes, on ${testDialect}`, () => {
  test("serves each route in turn, though it is full again after every claim", async () => {
    for (const route of ROUTES) {
      await enqueueEvents(
        own.db,
        route,
        Array.from({ length: BATCHES }, (_, i) => pageView(`${route}-${i}`)),
      );
    }
    const served: string[] = [];
    const dispatcher = createDispatcher({
      db: own.db,
      log: createLog("silent"),
      limits: { perRoute: 1, altogether: 2 },
      adapters: {
        meta: {
          maxBatch: 1,
          isExpired: () => false,
          async send(route) {
            served.push(route);
            // Long enough for the dispatcher to look around while it is full, and not all ending at once.
            await Bun.sleep(5 + 10 * (served.length % 2));
            return { verdict: { kind: "delivered", note: null, pauseMs: null }, answer: null };
          },
        },
      },
    });
    await dispatcher.drain();
    expect(served).toHaveLength(ROUTES.length * BATCHES);
    expect(widestLead(served)).toBeLessThan(BATCHES / 2);
  });
});
