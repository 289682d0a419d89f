import { afterAll, beforeAll, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { registerPayment } from "../../src/payments/register.ts";
import { createLog } from "../../src/platform/log.ts";
import { createPool, deletePool } from "../../src/pools/manage-pools.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, statusCounts, testDispatcher, testSecrets } from "../support/outbox.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const PIXEL = "5555555555";

let own: TestDatabase;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;
beforeAll(async () => {
  own = await createTestDatabase();
  sandbox = await startSandbox();
});
afterAll(async () => {
  await sandbox.stop();
  await own.dispose();
});

/** A database whose transactions, all their work done, commit when they are let go. */
function held(db: Database) {
  const done = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const transaction: Database["transaction"] = (work, durability) =>
    db.transaction(async (tx) => {
      const result = await work(tx);
      done.resolve();
      await letGo.promise;
      return result;
    }, durability);
  return { db: { ...db, transaction }, done: done.promise, letGo: letGo.resolve };
}

test(`a Purchase whose pool is deleted while it is confirmed waits for a pool with its pixel, on ${testDialect}`, async () => {
  const { db } = own;
  const { outbox, outboxRoutes } = db.tables;
  await addSendingPool(db, "gone", PIXEL);
  const confirming = held(db);
  const deps = {
    db,
    log: createLog("silent"),
    now: () => new Date(),
    starsUsdMinorPerThousand: null,
    consentDenied: "drop" as const,
    trackingData: async () => null,
  };
  const manage = { db, secrets: testSecrets, now: deps.now };
  const buyer = { bot: "gone_bot", telegram_user_id: "42" };
  const sale = {
    provider: "generic",
    provider_ref: "order-1",
    amount_minor: 4990,
    currency: "BRL",
    ...buyer,
  };
  await registerPayment(deps, sale);
  const paid = receiveReport(
    { ...deps, db: confirming.db },
    { provider: "generic", providerRef: "order-1", event: { kind: "paid" }, registration: null },
  );
  await confirming.done;
  const deleting = deletePool(manage, "test", "gone");
  await untilHeldUp(db, deleting);
  confirming.letGo();
  expect(await paid).toMatchObject({ kind: "confirmed" });

  expect(await db.select().from(outbox)).toMatchObject([{ eventName: "Purchase", route: PIXEL }]);
  // SQLite's one writer deletes after the sale, and sees that an event waits.
  const isGone = (await deleting).kind === "deleted";
  expect(isGone).toBe(db.dialect.name === "postgres");
  const { drain } = testDispatcher(db, sandbox.url);
  await drain();
  const routes = await db.select().from(outboxRoutes).where(eq(outboxRoutes.route, PIXEL));
  expect(await statusCounts(db)).toEqual(isGone ? { pending: 1 } : { delivered: 1 });
  expect(routes.map(({ pausedReason }) => pausedReason)).toEqual(
    isGone ? [expect.stringContaining(`No pool holds an access token for pixel ${PIXEL}`)] : [],
  );

  const again = {
    slug: "again",
    meta_pixel_id: PIXEL,
    meta_access_token: "EAAtest-token-0123456789",
    bots: [{ username: "gone_bot" }],
  };
  expect(await createPool(manage, "test", again)).toMatchObject({ kind: "created" });
  await drain();
  expect(await statusCounts(db)).toEqual({ delivered: 1 });
});
