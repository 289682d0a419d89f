import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { z } from "zod";
import type { Sales } from "../../src/funnel/sales.ts";
import { deleteOffer } from "../../src/offers/manage-offers.ts";
import { beginCheckout } from "../../src/payments/begin-checkout.ts";
import { checkoutOf } from "../../src/payments/checkout.ts";
import { postToProvider } from "../../src/payments/providers/provider-call.ts";
import { createSales } from "../../src/payments/sales.ts";
import { confirmTelegramPayment, refundTelegramPayment } from "../../src/payments/telegram-payments.ts";
import { newId } from "../../src/platform/ids.ts";
import type { Sale } from "../../src/telegram/sale.ts";
import { testDialect } from "../support/database.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { openShop, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.dispose());

const OFFER = { provider: "stripe", priceMinor: 4990, currency: "BRL" };
const STARS = { provider: "stripe", priceMinor: 500, currency: "XTR" };
const HOUR_MS = 3_600_000;

const begin = (sale: Sale) => shop.db.transaction((tx) => beginCheckout(shop.deps, tx, sale));
const tap = (customer: Omit<Sale, "deduplicate">, deduplicate: string = newId()) =>
  begin({ ...customer, deduplicate });

describe(`a checkout that begins in the bot, on ${testDialect}`, () => {
  test("registers a pending payment that the provider will know by its id", async () => {
    const customer = await shop.customer(OFFER);
    const { paymentId } = await tap(customer);
    const { payment, states } = await shop.stored(paymentId);
    expect(payment).toMatchObject({
      id: paymentId,
      provider: "stripe",
      providerRef: paymentId,
      status: "pending",
      amountMinor: 4990,
      currency: "BRL",
      trackingToken: shop.token,
      offerId: customer.offerId,
      botUserId: customer.botUserId,
      content: { ids: [String(customer.offerId)], name: "Curso de mágica" },
    });
    expect(states).toEqual(["checkout_started"]);
  });

  test("twenty taps at once, and another soon after, are one payment", async () => {
    const customer = await shop.customer(OFFER);
    const begun = await Promise.all(Array.from({ length: 20 }, () => tap(customer)));
    begun.push(await tap(customer));
    expect(new Set(begun.map(({ paymentId }) => paymentId)).size).toBe(1);
  });

  test("the same sale is the same payment however late it comes again; a new tap later is a new one", async () => {
    const customer = await shop.customer(OFFER);
    const first = await tap(customer, "update-1");
    shop.pass(HOUR_MS);
    expect(await tap(customer, "update-1")).toEqual(first);
    expect(await tap(customer, "update-2")).not.toEqual(first);
  });

  test("a tap that comes again is the same sale, though its buyer has bought the same many times before", async () => {
    const customer = await shop.customer(OFFER);
    const { payments } = shop.db.tables;
    for (let times = 0; times < 30; times++) {
      const { paymentId } = await tap(customer);
      await shop.db.transaction((tx) =>
        tx.update(payments).set({ status: "paid" }).where(eq(payments.id, paymentId)),
      );
      shop.pass(HOUR_MS);
    }
    const first = await tap(customer, "update-1");
    expect(await tap(customer, "update-1")).toEqual(first);
    expect(await tap(customer, "update-2")).toEqual(first);
  });

  test("who comes back by another ad buys by that one, and goes on with what they began by none", async () => {
    const customer = await shop.customer(OFFER);
    const first = await tap(customer);
    const trackingToken = newId();
    const second = await tap({ ...customer, trackingToken });
    expect((await shop.stored(first.paymentId)).payment?.trackingToken).toBe(shop.token);
    expect((await shop.stored(second.paymentId)).payment?.trackingToken).toBe(trackingToken);
    expect(await tap({ ...customer, trackingToken })).toEqual(second);
    const { payments } = shop.db.tables;
    await shop.db.transaction((tx) =>
      tx.update(payments).set({ trackingToken: null }).where(eq(payments.id, second.paymentId)),
    );
    expect(await tap({ ...customer, trackingToken: newId() })).toEqual(second);
  });

  test("who wants another offer at the same price buys that one", async () => {
    const first = await shop.customer(OFFER);
    const { offerId } = await shop.customer(OFFER);
    await tap(first);
    const { payment } = await shop.stored((await tap({ ...first, offerId })).paymentId);
    expect(payment).toMatchObject({ offerId, botUserId: first.botUserId });
  });

  test("who has paid may buy again; at another price it is another payment too", async () => {
    const customer = await shop.customer(OFFER);
    const first = await shop.sell(OFFER);
    await shop.happens("stripe", first.checkout.providerRef, "paid");
    const { payment } = await shop.stored(first.paymentId);
    const again = await tap({
      ...customer,
      botUserId: payment?.botUserId ?? 0,
      offerId: payment?.offerId ?? 0,
    });
    expect(again.paymentId).not.toBe(first.paymentId);
    const { offers } = shop.db.tables;
    await shop.db.transaction((tx) =>
      tx
        .update(offers)
        .set({ priceMinor: 5990 })
        .where(eq(offers.id, payment?.offerId ?? 0)),
    );
    const dearer = await tap({
      ...customer,
      botUserId: payment?.botUserId ?? 0,
      offerId: payment?.offerId ?? 0,
    });
    expect((await shop.stored(dearer.paymentId)).payment?.amountMinor).toBe(5990);
  });

  test("an offer that goes to another provider, or to another currency, is another sale", async () => {
    const customer = await shop.customer(OFFER);
    const begun = [(await tap(customer)).paymentId];
    const { offers } = shop.db.tables;
    for (const change of [{ provider: "mercadopago" }, { currency: "USD" }]) {
      await shop.db.transaction((tx) => tx.update(offers).set(change).where(eq(offers.id, customer.offerId)));
      begun.push((await tap(customer)).paymentId);
    }
    expect(new Set(begun).size).toBe(3);
  });

  test("two who want the same have a payment each", async () => {
    const first = await shop.customer(OFFER);
    const second = { ...(await shop.customer(OFFER)), offerId: first.offerId };
    for (const customer of [first, second]) {
      const { payment } = await shop.stored((await tap(customer)).paymentId);
      expect(payment?.botUserId).toBe(customer.botUserId);
    }
  });

  test("an offer stays that is removed while its first sale is under way: what is paid must be delivered", async () => {
    const { db, deps } = shop;
    const customer = await shop.customer(OFFER);
    const removeOffer = () => deleteOffer({ db, now: deps.now }, "test", customer.offerId);
    const { sold, removal } = await db.transaction(async (tx) => {
      const sold = await beginCheckout(deps, tx, { ...customer, deduplicate: "x" });
      const removal = removeOffer();
      await untilHeldUp(db, removal);
      return { sold, removal };
    });
    expect(await removal).toEqual({ kind: "in_use" });
    expect((await shop.stored(sold.paymentId)).payment).toMatchObject({ offerId: customer.offerId });
  });

  test.skipIf(testDialect === "sqlite")("two buy the same offer at once, and neither waits", async () => {
    const { db, deps } = shop;
    const first = await shop.customer(OFFER);
    const second = await shop.customer(OFFER);
    await db.transaction(async (tx) => {
      await beginCheckout(deps, tx, { ...first, deduplicate: "x" });
      const { paymentId } = await tap({ ...second, offerId: first.offerId });
      expect((await shop.stored(paymentId)).payment).toMatchObject({ offerId: first.offerId });
    });
  });

  test("nothing stays of a sale whose transaction fails", async () => {
    const customer = await shop.customer(OFFER);
    let begun = "";
    const failing = shop.db.transaction(async (tx) => {
      begun = (await beginCheckout(shop.deps, tx, { ...customer, deduplicate: "x" })).paymentId;
      throw new Error("the funnel failed");
    });
    await expect(failing).rejects.toThrow("the funnel failed");
    expect((await shop.stored(begun)).payment).toBeUndefined();
  });

  test("ten who ask for the link at once get the same one, and the provider has one; others' stay as they are", async () => {
    const before = await shop.sell(OFFER);
    const customer = await shop.customer(OFFER);
    const tapped = await tap(customer, "update-3");
    const { paymentId } = tapped;
    const links = await Promise.all(
      Array.from({ length: 10 }, () => checkoutOf(shop.checkoutDeps, paymentId)),
    );
    expect(new Set(links.map((link) => JSON.stringify(link))).size).toBe(1);
    expect(links[0]).toMatchObject({ kind: "link", url: expect.stringContaining("/pay/stripe/cs_test_") });
    const charges: { reference: string }[] = await shop.charges();
    const made = charges.filter(({ reference }) => reference === paymentId);
    // Who has paid goes back to the bot.
    expect(made).toMatchObject([{ title: "Curso de mágica", returnUrl: "https://t.me/shop_bot" }]);
    expect(await checkoutOf(shop.checkoutDeps, before.paymentId)).toEqual(before.checkout);
    shop.pass(HOUR_MS);
    expect(await tap(customer, "update-3")).toEqual(tapped);
  });

  test("of two charges that a provider without idempotency keys made at once everybody is shown one", async () => {
    const paymentId = await shop.begin({ ...OFFER, provider: "pushinpay" });
    const ask = () => checkoutOf(shop.checkoutDeps, paymentId);
    const [one, other] = await Promise.all([ask(), ask()]);
    expect(other).toEqual(one);
    const made: unknown[] = await shop.charges();
    expect(await ask()).toEqual(one);
    expect(await shop.charges()).toHaveLength(made.length);
  });

  test("an offer that is renamed meanwhile is still the same question to the provider", async () => {
    const customer = await shop.customer(OFFER);
    const { paymentId } = await tap(customer);
    await shop.breakDown("stripe", "reset", 1, { after: true });
    await expect(checkoutOf(shop.checkoutDeps, paymentId)).rejects.toThrow();
    const { offers } = shop.db.tables;
    await shop.db.transaction((tx) =>
      tx.update(offers).set({ name: "Renamed" }).where(eq(offers.id, customer.offerId)),
    );
    expect((await checkoutOf(shop.checkoutDeps, paymentId)).kind).toBe("link");
  });

  test.each([
    [
      "a provider that is not set up",
      { ...OFFER, provider: "paypal" },
      'The payment provider "paypal" is not configured',
    ],
    ["a provider without checkouts", { ...OFFER, provider: "generic" }, '"generic" makes no checkouts'],
    [
      "fils that Stripe does not charge",
      { ...OFFER, priceMinor: 5124, currency: "KWD" },
      "Stripe cannot charge 5124 KWD",
    ],
    ["Pix in dollars", { provider: "mercadopago", priceMinor: 100, currency: "USD" }, "Pix is paid in BRL"],
    [
      "less than a Pix charge may be",
      { provider: "pushinpay", priceMinor: 49, currency: "BRL" },
      "50 cents at least",
    ],
  ])("%s: a reason that says what to do", async (_, offer, reason) => {
    const paymentId = await shop.begin(offer);
    await expect(checkoutOf(shop.checkoutDeps, paymentId)).rejects.toThrow(reason);
    const sales: Sales = createSales(shop.checkoutDeps);
    expect(await sales.checkoutOf(paymentId)).toEqual({
      kind: "unpayable",
      reason: expect.stringContaining(reason),
    });
  });

  test.each(["mercadopago", "pushinpay"])("%s needs our address for its webhook", async (provider) => {
    const paymentId = await shop.begin({ ...OFFER, provider });
    const nowhere = { ...shop.checkoutDeps, publicUrl: undefined };
    await expect(checkoutOf(nowhere, paymentId)).rejects.toThrow("set PUBLIC_URL");
  });

  test("a payment that is paid has no checkout any more, nor one whose money went back or that does not exist", async () => {
    const paymentId = await shop.begin(OFFER);
    const { payments } = shop.db.tables;
    for (const status of ["paid", "refunded", "chargeback"] as const) {
      await shop.db.transaction((tx) =>
        tx.update(payments).set({ status }).where(eq(payments.id, paymentId)),
      );
      await expect(checkoutOf(shop.checkoutDeps, paymentId)).rejects.toThrow(
        `is ${status}; there is nothing to pay`,
      );
    }
    await expect(checkoutOf(shop.checkoutDeps, newId())).rejects.toThrow("does not exist");
  });

  test.each([
    [400, true],
    [422, true],
    [401, false],
    [403, false],
    [404, false],
    [408, false],
    [409, false],
    [423, false],
    [424, false],
    [425, false],
    [429, false],
    [500, false],
  ])("a provider's %d says that the payment itself is wrong: %p", async (status, isPermanent) => {
    const server = Bun.serve({ port: 0, fetch: () => Response.json({ message: "no" }, { status }) });
    const api = { provider: "Shop", apiUrl: server.url.origin, secret: "s".repeat(20) };
    await expect(postToProvider(api, "/", { headers: {}, body: "" }, z.unknown())).rejects.toMatchObject({
      isPermanent,
    });
    await server.stop(true);
  });
});

describe(`Telegram's own payments, on ${testDialect}`, () => {
  const confirm = (paymentId: string, chargeId: string, amountMinor = 500, currency = "XTR") =>
    shop.db.transaction((tx) =>
      confirmTelegramPayment(shop.deps, tx, {
        paymentId,
        botId: shop.botId,
        chargeId,
        amountMinor,
        currency,
      }),
    );
  const refund = (paymentId: string, chargeId: string) =>
    shop.db.transaction((tx) =>
      refundTelegramPayment(shop.deps, tx, {
        paymentId,
        botId: shop.botId,
        chargeId,
        amountMinor: 500,
        currency: "XTR",
      }),
    );

  test("Stars are paid inside Telegram and reported in dollars, once", async () => {
    const paymentId = await shop.begin(STARS);
    expect((await shop.stored(paymentId)).payment?.provider).toBe("telegram");
    expect(await confirm(paymentId, "charge-1")).toBe("confirmed");
    expect(await confirm(paymentId, "charge-1")).toBe("unchanged");
    const { payment, events, eventNames, notes } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ metaPurchaseSent: true, metaPurchaseSentAt: expect.any(Date) });
    expect(eventNames).toEqual(["Purchase", "delivery"]);
    expect(events[0]?.payload).toMatchObject({ custom_data: { value: 6.5, currency: "USD" } });
    expect(notes).toBe(0);
  });

  test("fifty copies at once confirm once", async () => {
    const paymentId = await shop.begin(STARS);
    const applied = await Promise.all(Array.from({ length: 50 }, () => confirm(paymentId, "charge-1")));
    expect(applied.filter((one) => one === "confirmed")).toHaveLength(1);
    expect((await shop.stored(paymentId)).eventNames).toEqual(["Purchase", "delivery"]);
  });

  test("paid twice by two charges: noted; the second one given back leaves the first one paid", async () => {
    const other = await shop.begin(STARS);
    const paymentId = await shop.begin(STARS);
    await confirm(paymentId, "charge-1");
    expect(await confirm(paymentId, "charge-2")).toBe("unchanged");
    expect(await refund(paymentId, "charge-2")).toBe("unchanged");
    const { payment, notes } = await shop.stored(paymentId);
    expect(payment?.status).toBe("paid");
    expect(payment?.providerData?.notes).toEqual([
      "paid twice: 500 XTR by charge charge-2 after charge-1",
      "charge charge-2 was refunded; charge-1 stays paid",
    ]);
    expect(notes).toBe(2);
    expect((await shop.stored(other)).payment?.providerData).toEqual({ deduplicate: expect.any(String) });
    expect(await refund(paymentId, "charge-1")).toBe("changed");
    expect((await shop.stored(paymentId)).payment?.status).toBe("refunded");
  });

  test("a refund that comes before the payment: nothing is reported or delivered, until another charge is paid", async () => {
    const paymentId = await shop.begin(STARS);
    expect(await refund(paymentId, "charge-1")).toBe("changed");
    expect(await confirm(paymentId, "charge-1")).toBe("unchanged");
    const { payment, eventNames } = await shop.stored(paymentId);
    expect(payment?.status).toBe("refunded");
    expect(eventNames).toEqual([]);
    expect(await confirm(paymentId, "charge-2")).toBe("confirmed");
    const paid = await shop.stored(paymentId);
    expect(paid.payment).toMatchObject({ status: "paid", refundedAt: null });
    expect(paid.eventNames).toEqual(["Purchase", "delivery"]);
    expect(await refund(paymentId, "charge-2")).toBe("changed");
    expect(await confirm(paymentId, "charge-2")).toBe("unchanged");
    expect((await shop.stored(paymentId)).eventNames).toEqual(["Purchase", "delivery"]);
  });

  test("money for a payment that is not Telegram's changes nothing and is logged", async () => {
    const paymentId = await shop.begin(OFFER);
    expect(await confirm(paymentId, "charge-1", 4990, "BRL")).toBe("unchanged");
    expect(await confirm(newId(), "charge-1")).toBe("unchanged");
    expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
    expect(shop.logLines.filter((line) => line.includes("is not Telegram's"))).toHaveLength(2);
  });

  test("Stars that are not to be reported as money leave no Purchase that could only die, and are delivered", async () => {
    const paymentId = await shop.begin(STARS);
    const charge = { paymentId, botId: shop.botId, chargeId: "charge-1", amountMinor: 500, currency: "XTR" };
    const deps = { ...shop.deps, starsUsdMinorPerThousand: null };
    expect(await shop.db.transaction((tx) => confirmTelegramPayment(deps, tx, charge))).toBe("confirmed");
    const { payment, eventNames } = await shop.stored(paymentId);
    expect(eventNames).toEqual(["delivery"]);
    expect(payment).toMatchObject({ status: "paid", metaPurchaseSent: false, metaPurchaseSentAt: null });
  });

  test("another bot's word counts for nothing", async () => {
    const paymentId = await shop.begin(STARS);
    const charge = {
      paymentId,
      botId: shop.botId + 1,
      chargeId: "charge-1",
      amountMinor: 500,
      currency: "XTR",
    };
    expect(await shop.db.transaction((tx) => confirmTelegramPayment(shop.deps, tx, charge))).toBe(
      "unchanged",
    );
    expect(await shop.db.transaction((tx) => refundTelegramPayment(shop.deps, tx, charge))).toBe("unchanged");
    expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
  });

  test("what the bots' conversation asks for is what stands here", async () => {
    const sales: Sales = createSales({ ...shop.deps, publicUrl: shop.url });
    const customer = await shop.customer(STARS);
    const { paymentId } = await shop.db.transaction((tx) =>
      sales.beginCheckout(tx, { ...customer, deduplicate: "update-1" }),
    );
    const charge = { paymentId, botId: shop.botId, chargeId: "charge-1", amountMinor: 500, currency: "XTR" };
    const apply = await sales.prepareConfirmation(charge);
    await shop.db.transaction(apply);
    expect((await shop.stored(paymentId)).payment?.status).toBe("paid");
    await shop.db.transaction((tx) => sales.refundPayment(tx, charge));
    expect((await shop.stored(paymentId)).payment?.status).toBe("refunded");
  });
});
