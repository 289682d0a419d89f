import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { asc } from "drizzle-orm";
import { changeRoute } from "../../src/outbox/routes.ts";
import { pauseRouteBy, resumeRouteBy } from "../../src/pools/audited-routes.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

const key = { destination: "meta", route: "123" } as const;
const now = () => new Date();

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
});
