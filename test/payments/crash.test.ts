import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { eq, sql } from "drizzle-orm";
import { ensureExecutable } from "../../scripts/build.ts";
import { reclaimExpired } from "../../src/outbox/lease.ts";
import { registerInside } from "../../src/payments/register.ts";
import { newId } from "../../src/platform/ids.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { saveBotUser } from "../../src/tracking/bot-users.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { BOT_TOKEN } from "../support/funnel.ts";
import { testSecrets } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { happen, type SaleStep, WEBHOOK_SECRET } from "../support/sale-step.ts";
import { newUser, paidUpdate } from "../support/telegram-updates.ts";
import { visitsOf } from "../support/visits.ts";

/** Made before any test's time begins; started more than fifty times. */
const CHILD = await ensureExecutable({
  path: join(import.meta.dir, "../../.cache/tests/sale-and-die"),
  entrypoints: ["test/support/sale-and-die.ts"],
  sources: ["test/support/*"],
});
/** More steps than any of it takes. */
const MOST_STEPS = 200;

let own: TestDatabase;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let sell: (money: { provider: string; amount_minor: number; currency: string }) => Promise<Sale>;
let botId = 0;

interface Sale {
  readonly paymentId: string;
  readonly user: ReturnType<typeof newUser>;
}

beforeAll(async () => {
  own = await createTestDatabase();
  sandbox = await startSandbox();
  const { db } = own;
  const { tables } = db;
  const shop = await addPool(db, { slug: "shop", metaPixelId: "5555555555" });
  botId = shop.bots[0]?.id ?? 0;
  const visits = visitsOf(shop);
  const now = new Date();
  const offerId = await db.transaction(async (tx) => {
    await tx
      .update(tables.bots)
      .set({
        token: testSecrets.seal(BOT_TOKEN, "bots.token"),
        webhookSecret: testSecrets.seal(WEBHOOK_SECRET, "bots.webhook_secret"),
      })
      .where(eq(tables.bots.id, botId));
    const course = { name: "Course", description: "…", delivery: "https://example.com/course" };
    const price = { priceMinor: 50, currency: "XTR", provider: "telegram" };
    const [offer] = await tx
      .insert(tables.offers)
      .values({ botId, ...course, ...price, createdAt: now, updatedAt: now })
      .returning();
    return offer?.id ?? 0;
  });
  sell = (money) =>
    db.transaction(async (tx) => {
      const user = newUser();
      const visit = visits("fbclid=AbCd");
      await recordVisits(tx, tables, [visit]);
      const { trackingToken } = visit;
      const buyer = await saveBotUser(
        tx,
        tables,
        { botId, person: { telegramUserId: String(user.id) }, trackingToken },
        now,
      );
      const paymentId = newId();
      await registerInside(
        { db, now: () => now, starsUsdMinorPerThousand: null, consentDenied: "drop" },
        tx,
        {
          input: { ...money, provider_ref: paymentId, tracking_token: trackingToken },
          sale: { paymentId, botId, botUserId: buyer.id, offerId },
          redisCopy: null,
        },
      );
      return { paymentId, user };
    });
});
afterAll(async () => {
  await sandbox.stop();
  await own.dispose();
});

/** Runs the child that dies before its k-th step. */
async function happenAndDie(step: SaleStep, k: number): Promise<"killed" | "finished"> {
  const child = Bun.spawn([CHILD, own.url, JSON.stringify(step), String(k)], { stderr: "pipe" });
  await child.exited;
  if (child.signalCode === "SIGKILL") return "killed";
  expect(await new Response(child.stderr).text()).toBe("");
  return "finished";
}

/** What a payment left behind, in every table. */
async function traces(paymentId: string) {
  const { db } = own;
  const { payments, outbox, funnelStates, outboxAttempts } = db.tables;
  const [payment] = await db.select().from(payments).where(eq(payments.id, paymentId));
  const events = await db.select().from(outbox).where(eq(outbox.paymentId, paymentId)).orderBy(outbox.id);
  const states = await db
    .select()
    .from(funnelStates)
    .where(eq(funnelStates.paymentId, paymentId))
    .orderBy(funnelStates.id);
  const delivery = events.find(({ eventName }) => eventName === "delivery");
  const attempts = await db.select().from(outboxAttempts);
  return {
    payment: payment && [payment.status, payment.metaPurchaseSent],
    events: events.map(({ eventName }) => eventName),
    delivery: delivery?.status,
    states: states.map(({ state }) => state),
    attempts: attempts.filter(({ outboxIds }) => outboxIds.includes(delivery?.id ?? -1)).length,
  };
}

const NOTHING = {
  payment: ["pending", false],
  events: [],
  delivery: undefined,
  states: ["checkout_started"],
  attempts: 0,
};
const EVERYTHING = {
  payment: ["paid", true],
  events: ["Purchase", "delivery"],
  delivery: "pending",
  states: ["checkout_started", "paid"],
  attempts: 0,
};

describe(`a crash at every statement of a sale, on ${testDialect}`, () => {
  const generic = { provider: "generic", amount_minor: 4990, currency: "BRL" };
  const stars = { provider: "telegram", amount_minor: 50, currency: "XTR" };
  const webhook = ({ paymentId }: Sale): SaleStep => ({ kind: "webhook", providerRef: paymentId });
  const update = ({ paymentId, user }: Sale): SaleStep => ({
    kind: "update",
    botId,
    update: paidUpdate(user, paymentId, 50, "XTR"),
  });

  test.each([
    ["a provider's webhook", generic, webhook],
    ["Telegram's successful_payment", stars, update],
  ] as const)(
    "%s: nothing before the commit, everything after it, and once however often it comes again",
    async (_, money, stepOf) => {
      const ends: ("nothing" | "everything")[] = [];
      for (let k = 1; k < MOST_STEPS; k++) {
        const sale = await sell(money);
        const step = stepOf(sale);
        if ((await happenAndDie(step, k)) === "finished") break;
        const left = await traces(sale.paymentId);
        const isWhole = left.payment?.[0] === "paid";
        expect(left).toEqual<object>(isWhole ? EVERYTHING : NOTHING);
        ends.push(isWhole ? "everything" : "nothing");
        await happen(own.db, step);
        await happen(own.db, step);
        expect(await traces(sale.paymentId)).toEqual<object>(EVERYTHING);
      }
      // The very last place to die is right after the commit.
      expect(ends.pop()).toBe("everything");
      expect(new Set(ends)).toEqual(new Set(["nothing"]));
      expect(ends.length).toBeGreaterThan(10);
    },
    300_000,
  );

  test("a delivery that is settled: row, attempt and funnel say the same, and it goes on where it died", async () => {
    const { db } = own;
    const { outboxProgress } = db.tables;
    const step: SaleStep = { kind: "delivery", apiUrl: sandbox.url };
    // What the other tests left is no part of it.
    await db.transaction((tx) => tx.update(outboxProgress).set({ status: "discarded" }));
    let killed = 0;
    for (let k = 1; k < MOST_STEPS; k++) {
      const sale = await sell(generic);
      await happen(db, webhook(sale));
      const end = await happenAndDie(step, k);
      const { delivery, states, attempts } = await traces(sale.paymentId);
      const isDelivered = delivery === "delivered";
      expect([states.includes("delivered"), attempts === 1]).toEqual([isDelivered, isDelivered]);
      if (end === "finished") break;
      killed++;
      // The lease of the dead runs out.
      const past = sql<Date>`${db.dialect.plusMs(db.dialect.now, -1_000)}`;
      await db.transaction((tx) =>
        tx.update(outboxProgress).set({ leaseUntil: past }).where(eq(outboxProgress.status, "sending")),
      );
      await reclaimExpired(db);
      await happen(db, step);
      expect(await traces(sale.paymentId)).toMatchObject({
        delivery: "delivered",
        states: ["checkout_started", "paid", "delivered"],
        attempts: 1,
      });
    }
    expect(killed).toBeGreaterThan(5);
  }, 300_000);
});
