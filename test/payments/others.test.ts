import { afterAll, beforeAll, expect, test } from "bun:test";
import { ne } from "drizzle-orm";
import fc from "fast-check";
import { checkoutOf } from "../../src/payments/checkout.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { registerPayment } from "../../src/payments/register.ts";
import { newId } from "../../src/platform/ids.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { testDialect } from "../support/database.ts";
import { type AddedPool, addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";
import { openShop, type Shop } from "./shop.ts";

let shop: Shop;
let pool: AddedPool;
beforeAll(async () => {
  shop = await openShop();
  pool = await addPool(shop.db, { slug: "others" });
});
afterAll(() => shop.dispose());

/** Two payments that our bots sold, each for its own offer, and two that were begun elsewhere, by nobody knows whom. */
async function payments() {
  const bought = { priceMinor: 4990, currency: "BRL", provider: "generic" };
  const sold = async () => {
    const delivery = `https://example.com/${newId()}`;
    const paymentId = await shop.begin({ ...bought, delivery });
    return { paymentId, providerRef: paymentId, delivery };
  };
  const begun = async () => {
    const providerRef = newId();
    const input = { provider: "generic", provider_ref: providerRef, amount_minor: 4990, currency: "BRL" };
    const registered = await registerPayment(shop.deps, input);
    if (registered.kind !== "created") throw new Error("the payment was not registered");
    return { paymentId: registered.payment.id, providerRef, delivery: null };
  };
  return [await sold(), await begun(), await sold(), await begun()] as const;
}

/** All that is stored of every payment but one. */
async function storedBesides(paymentId: string) {
  const { db } = shop;
  const { payments, outbox, funnelStates } = db.tables;
  return {
    payments: await db.select().from(payments).where(ne(payments.id, paymentId)).orderBy(payments.id),
    events: await db.select().from(outbox).where(ne(outbox.paymentId, paymentId)).orderBy(outbox.id),
    steps: await db
      .select()
      .from(funnelStates)
      .where(ne(funnelStates.paymentId, paymentId))
      .orderBy(funnelStates.id),
  };
}

const chargeId = fc.constantFrom("ch_1", "ch_2", undefined);
const amountMinor = fc.constantFrom(4990, 100, undefined);
const reported = fc.oneof(
  fc.record({ kind: fc.constant("paid" as const), amountMinor, chargeId }),
  fc.record({ kind: fc.constant("refunded" as const), amountMinor, chargeId }),
  fc.record({ kind: fc.constant("chargeback" as const), chargeId }),
  fc.record({ kind: fc.constant("expired" as const) }),
  fc.record({
    kind: fc.constant("noted" as const),
    note: fc.constantFrom("a dispute was won", "an inquiry"),
  }),
);
/** What a webhook says of the visit. */
const visit = fc.constantFrom("none" as const, "granted" as const, "denied" as const);
const step = fc.record({ of: fc.integer({ min: 0, max: 3 }), event: reported, visit });

const PAID = { kind: "paid" as const, amountMinor: undefined, chargeId: undefined };
/** Only a copy of what confirmed it says by which visit. */
const learntLate = (visit: "granted" | "denied") => [
  { of: 1, event: PAID, visit: "none" as const },
  { of: 1, event: PAID, visit },
];

test(`whatever is reported of a payment, on ${testDialect}, changes nothing of another, and delivers what it was for`, async () => {
  const { db, deps } = shop;
  const visitOfPool = visitsOf(pool);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const all = await payments();
      for (const { of, event, visit } of steps) {
        const payment = all[of];
        if (!payment) throw new Error("there are four payments");
        const record = visitOfPool(visit === "denied" ? "consent=denied" : "");
        if (visit !== "none") await db.transaction((tx) => recordVisits(tx, db.tables, [record]));
        const before = await storedBesides(payment.paymentId);
        await receiveReport(deps, {
          provider: "generic",
          providerRef: payment.providerRef,
          event,
          registration: null,
          ...(visit !== "none" && { details: { tracking_token: record.trackingToken } }),
        });
        expect(await storedBesides(payment.paymentId)).toEqual(before);
      }
      for (const { paymentId, delivery } of all) {
        const { events } = await shop.stored(paymentId);
        for (const { payload } of events.filter(({ eventName }) => eventName === "delivery")) {
          expect(JSON.stringify(payload)).toContain(delivery ?? "nothing was sold");
        }
      }
    }),
    { numRuns: 40, examples: [[learntLate("granted")], [learntLate("denied")]] },
  );
});

test(`a checkout, on ${testDialect}, is kept at its own payment alone`, async () => {
  const paymentId = await shop.begin({ priceMinor: 4990, currency: "BRL", provider: "stripe" });
  const before = await storedBesides(paymentId);
  await checkoutOf(shop.checkoutDeps, paymentId);
  expect(await storedBesides(paymentId)).toEqual(before);
});
