import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Database } from "../../src/db/database.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { registerPayment } from "../../src/payments/register.ts";
import { createLog } from "../../src/platform/log.ts";
import { deletePool } from "../../src/pools/manage-pools.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addSendingPool, statusCounts, testDispatcher, testSecrets } from "../support/outbox.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

let sandbox: Awaited<ReturnType<typeof startSandbox>>;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

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

const now = () => new Date();

/** A bot in two pools, none of them visited, with a payment that belongs to the first. */
async function openSale() {
  const own = await createTestDatabase();
  const { db } = own;
  const { tables } = db;
  const { bots } = await addSendingPool(db, "first", "5555555555");
  const { pool: second } = await addSendingPool(db, "second", "6666666666");
  await db.transaction((tx) =>
    tx.insert(tables.poolBots).values({ poolId: second.id, botId: bots[0]?.id ?? 0, weight: 1 }),
  );
  const deps = {
    db,
    log: createLog("silent"),
    now,
    starsUsdMinorPerThousand: null,
    consentDenied: "drop" as const,
    trackingData: async () => null,
  };
  const reference = { provider: "generic", provider_ref: "order-1" };
  const buyer = { bot: "first_bot", telegram_user_id: "42" };
  await registerPayment(deps, { ...reference, ...buyer, amount_minor: 4990, currency: "BRL" });
  const report = {
    provider: "generic",
    providerRef: "order-1",
    event: { kind: "paid" as const },
    registration: null,
  };
  return {
    db,
    pay: (through: Database) => receiveReport({ ...deps, db: through }, report),
    removeFirst: (through: Database) =>
      deletePool({ db: through, secrets: testSecrets, now }, "test", "first"),
    [Symbol.asyncDispose]: () => own.dispose(),
  };
}

/** Sends what there is; answers which pixels have a sale. */
async function reportedTo(db: Database): Promise<string[]> {
  await testDispatcher(db, sandbox.url).drain();
  expect(await statusCounts(db)).toEqual({ delivered: 1 });
  return (await db.select().from(db.tables.outbox)).map(({ route }) => route);
}

test(`a pool is not removed in the moment of its sale on ${testDialect}`, async () => {
  await using sale = await openSale();
  const { db } = sale;
  const confirming = held(db);
  const paid = sale.pay(confirming.db);
  await confirming.done;
  const removing = sale.removeFirst(db);
  await untilHeldUp(db, removing);
  confirming.letGo();
  expect(await paid).toMatchObject({ kind: "confirmed" });
  expect(await removing).toEqual({ kind: "in_use" });
  expect(await reportedTo(db)).toEqual(["5555555555"]);
});

test(`a sale waits for the removal of its pool, and goes to the bot's other one, on ${testDialect}`, async () => {
  await using sale = await openSale();
  const { db } = sale;
  const removal = held(db);
  const removing = sale.removeFirst(removal.db);
  await removal.done;
  const paid = sale.pay(db);
  await untilHeldUp(db, paid);
  removal.letGo();
  expect(await removing).toEqual({ kind: "deleted" });
  expect(await paid).toMatchObject({ kind: "confirmed" });
  expect(await reportedTo(db)).toEqual(["6666666666"]);
});
