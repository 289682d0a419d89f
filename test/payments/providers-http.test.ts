import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { checkoutOf } from "../../src/payments/checkout.ts";
import { paymentsPlugin } from "../../src/payments/plugin.ts";
import { pushinPayProvider } from "../../src/payments/providers/pushinpay.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { createSales } from "../../src/payments/sales.ts";
import { newId } from "../../src/platform/ids.ts";
import { testDialect } from "../support/database.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { stripeEvent, stripeSession } from "./payloads.ts";
import { openShop, outcomes, type Shop } from "./shop.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.dispose());

const OFFER = { priceMinor: 4990, currency: "BRL" };
const BOTH = ["Purchase", "delivery"];

/** PushinPay may be asked once a minute; the shop's clock goes on that far. */
const MINUTE_MS = 61_000;

describe.each(["stripe", "mercadopago", "pushinpay"])(`%s on ${testDialect}, over HTTP`, (provider) => {
  const sell = () => shop.sell({ provider, ...OFFER });

  test("checkout, payment at the provider, signed webhook: paid, one Purchase, one delivery", async () => {
    const { paymentId, checkout } = await sell();
    expect(await checkoutOf(shop.checkoutDeps, paymentId)).toEqual(checkout);
    const [delivery] = await shop.happens(provider, checkout.providerRef, "paid");
    expect(delivery).toMatchObject({ status: 200 });
    expect(JSON.parse(delivery?.body ?? "")).toEqual({ id: paymentId, status: "confirmed" });
    const { payment, events, eventNames, states, notes } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "paid", provider, providerRef: paymentId, amountMinor: 4990 });
    expect(payment?.providerData).toMatchObject({ checkout, deduplicate: expect.any(String) });
    expect(eventNames).toEqual(BOTH);
    expect(states).toEqual(["checkout_started", "paid"]);
    expect(notes).toBe(0);
    expect(events[0]?.payload).toMatchObject({
      event_id: `purchase_${paymentId}`,
      custom_data: { value: 49.9, currency: "BRL", content_name: "Curso de mágica" },
    });
  });

  test("fifty of the same webhook at once, and one later: one Purchase, one delivery", async () => {
    const { paymentId, checkout } = await sell();
    const deliveries = await shop.happens(provider, checkout.providerRef, "paid", { times: 50 });
    const statuses = outcomes(deliveries);
    expect(statuses.filter((status) => status === "confirmed")).toHaveLength(1);
    expect(statuses.filter((status) => status === "unchanged")).toHaveLength(49);
    shop.pass(MINUTE_MS);
    const later = await shop.happens(provider, checkout.providerRef, "paid");
    expect(outcomes(later)).toEqual(["unchanged"]);
    const { eventNames, states, notes } = await shop.stored(paymentId);
    expect(eventNames).toEqual(BOTH);
    expect(states).toEqual(["checkout_started", "paid"]);
    expect(notes).toBe(0);
  });

  test("a forged webhook is 401, and nothing changes", async () => {
    const { paymentId, checkout } = await sell();
    const forged = await shop.happens(provider, checkout.providerRef, "paid", { signature: "forged" });
    expect(forged[0]?.status).toBe(401);
    expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
  });

  test("paid, then refunded: the refund is marked, and Meta is told nothing of it", async () => {
    const { paymentId, checkout } = await sell();
    await shop.happens(provider, checkout.providerRef, "paid");
    shop.pass(MINUTE_MS);
    const refund = await shop.happens(provider, checkout.providerRef, "refunded", { times: 2 });
    expect(outcomes(refund).toSorted()).toEqual(["changed", "unchanged"]);
    const { payment, eventNames, states } = await shop.stored(paymentId);
    expect(payment?.status).toBe("refunded");
    expect(eventNames).toEqual(BOTH);
    expect(states).toEqual(["checkout_started", "paid", "refunded"]);
  });

  test("refunded before anybody heard of the payment: nothing is reported or delivered", async () => {
    const { paymentId, checkout } = await sell();
    await shop.happens(provider, checkout.providerRef, "paid", { times: 0 });
    const refund = await shop.happens(provider, checkout.providerRef, "refunded");
    expect(outcomes(refund)).toEqual(["changed"]);
    const { payment, eventNames, states } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "refunded", metaPurchaseSent: false });
    expect(eventNames).toEqual([]);
    expect(states).toEqual(["checkout_started", "refunded"]);
  });

  test("expired, and paid all the same: the money counts", async () => {
    const { paymentId, checkout } = await sell();
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "expired"))).toEqual(["changed"]);
    const { payment } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "expired", refundedAt: null });
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "paid"))).toEqual(["confirmed"]);
    const { eventNames, states } = await shop.stored(paymentId);
    expect(eventNames).toEqual(BOTH);
    expect(states).toEqual(["checkout_started", "paid"]);
  });

  test("a chargeback is marked; sent again it changes nothing", async () => {
    const { paymentId, checkout } = await sell();
    await shop.happens(provider, checkout.providerRef, "paid");
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "chargeback"))).toEqual(["changed"]);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "chargeback"))).toEqual(["unchanged"]);
    expect((await shop.stored(paymentId)).payment?.status).toBe("chargeback");
  });

  test.each(["500", "429", "reset", "garbage"])(
    "a checkout that meets %s fails with a reason, and is made when the provider is back",
    async (mode) => {
      const paymentId = await shop.begin({ provider, ...OFFER });
      await shop.breakDown(provider, mode);
      // The bot, too, asks again: nobody hears that their offer cannot be paid.
      const asked = createSales(shop.checkoutDeps).checkoutOf(paymentId);
      await expect(asked).rejects.toThrow(/Stripe|Mercado Pago|PushinPay/);
      // Stripe repeats a 500 to whoever asks again in the same breath.
      shop.pass(10 * MINUTE_MS);
      const checkout = await checkoutOf(shop.checkoutDeps, paymentId);
      expect(checkout.providerRef).not.toBe("");
    },
  );

  test("a checkout whose answer was lost is asked for again, and pays the one payment", async () => {
    const paymentId = await shop.begin({ provider, ...OFFER });
    await shop.breakDown(provider, "reset", 1, { after: true });
    await expect(checkoutOf(shop.checkoutDeps, paymentId)).rejects.toThrow("could not be reached");
    const { providerRef } = await checkoutOf(shop.checkoutDeps, paymentId);
    const charges: readonly {
      provider: string;
      id: string;
      reference: string | null;
      webhookUrl: string | null;
    }[] = await shop.charges();
    const made = charges.filter(
      (charge) => charge.reference === paymentId || charge.webhookUrl?.endsWith(`ref=${paymentId}`),
    );
    // PushinPay knows no idempotency key: there are two charges, and whichever is paid counts.
    expect(made).toHaveLength(provider === "pushinpay" ? 2 : 1);
    expect(made.at(-1)?.id).toBe(providerRef);
    expect(outcomes(await shop.happens(provider, made[0]?.id ?? "", "paid"))).toEqual(["confirmed"]);
    expect((await shop.stored(paymentId)).eventNames).toEqual(BOTH);
  });
});

/** Somebody makes a second charge for the same payment at the provider. */
async function chargeAgain(provider: string, reference: string | null): Promise<string> {
  const { url } = shop.sandbox;
  const authorization = "Bearer sk_test_0123456789";
  const pix = {
    transaction_amount: 49.9,
    description: "Curso",
    payment_method_id: "pix",
    ...(reference !== null && { external_reference: reference }),
    notification_url: `${shop.url}/api/payments/webhooks/mercadopago`,
    payer: { email: "ana@example.com" },
  };
  const form = new URLSearchParams({
    mode: "payment",
    ...(reference !== null && {
      client_reference_id: reference,
      "metadata[reference]": reference,
      "payment_intent_data[metadata][reference]": reference,
    }),
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "brl",
    "line_items[0][price_data][unit_amount]": "4990",
    "line_items[0][price_data][product_data][name]": "Curso",
    success_url: shop.url,
    cancel_url: shop.url,
  });
  const transaction = {
    value: 4990,
    webhook_url: `${shop.url}/api/payments/webhooks/pushinpay?ref=${reference}`,
    split_rules: [],
  };
  const json = {
    authorization,
    "content-type": "application/json",
    "x-idempotency-key": crypto.randomUUID(),
  };
  const calls: Readonly<Record<string, readonly [string, Record<string, string>, string]>> = {
    stripe: [
      "/v1/checkout/sessions",
      { authorization, "content-type": "application/x-www-form-urlencoded" },
      form.toString(),
    ],
    mercadopago: ["/v1/payments", json, JSON.stringify(pix)],
    pushinpay: ["/api/pix/cashIn", json, JSON.stringify(transaction)],
  };
  const [path = "", headers = {}, body = ""] = calls[provider] ?? [];
  const response = await fetch(url + path, { method: "POST", headers, body });
  const made = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(made));
  return String(made.id);
}

describe.each(["stripe", "mercadopago", "pushinpay"])(`paid twice at %s, on ${testDialect}`, (provider) => {
  test("the second charge is noted; given back, it leaves the sale paid; the first one's refund ends it", async () => {
    const { paymentId, checkout } = await shop.sell({ provider, ...OFFER });
    const second = await chargeAgain(provider, paymentId);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "paid"))).toEqual(["confirmed"]);
    expect(outcomes(await shop.happens(provider, second, "paid"))).toEqual(["unchanged"]);
    expect((await shop.stored(paymentId)).notes).toBe(1);
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, second, "refunded"))).toEqual(["unchanged"]);
    expect((await shop.stored(paymentId)).payment?.status).toBe("paid");
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "refunded"))).toEqual(["changed"]);
    const { payment, eventNames, notes } = await shop.stored(paymentId);
    expect(payment?.status).toBe("refunded");
    expect(eventNames).toEqual(BOTH);
    expect(notes).toBe(2);
  });

  test("a charge that went back before it was seen paid keeps no other from being the sale; its own payment is none", async () => {
    const { paymentId, checkout } = await shop.sell({ provider, ...OFFER });
    const second = await chargeAgain(provider, paymentId);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "refunded"))).toEqual(["changed"]);
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, checkout.providerRef, "paid"))).toEqual(["unchanged"]);
    expect((await shop.stored(paymentId)).eventNames).toEqual([]);
    const copies = await shop.happens(provider, second, "paid", { times: 5 });
    expect(outcomes(copies).toSorted()).toEqual(["confirmed", ...Array(4).fill("unchanged")]);
    const { payment, eventNames, states } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "paid", refundedAt: null, metaPurchaseSent: true });
    expect(eventNames).toEqual(BOTH);
    expect(states).toEqual(["checkout_started", "refunded", "paid"]);
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, second, "refunded"))).toEqual(["changed"]);
    shop.pass(MINUTE_MS);
    expect(outcomes(await shop.happens(provider, second, "paid"))).toEqual(["unchanged"]);
    expect((await shop.stored(paymentId)).payment?.status).toBe("refunded");
  });
});

test.each(["stripe", "mercadopago"])(
  "%s: spaces around a reference, which registering leaves out, keep no sale from counting",
  async (provider) => {
    const reference = ` order of ${provider} `;
    const { priceMinor: amount_minor, currency } = OFFER;
    const body = JSON.stringify({ provider, provider_ref: reference, amount_minor, currency });
    const registered = await fetch(`${shop.url}/api/payments`, { method: "POST", body });
    const { id } = await registered.json();
    const charge = await chargeAgain(provider, reference);
    expect(outcomes(await shop.happens(provider, charge, "paid"))).toEqual(["confirmed"]);
    expect((await shop.stored(id)).payment?.status).toBe("paid");
  },
);

test.each(["stripe", "mercadopago"])(
  "%s: a sale of somebody else on the same account is ignored, so that it is not repeated for days",
  async (provider) => {
    const charge = await chargeAgain(provider, null);
    const [delivery] = await shop.happens(provider, charge, "paid");
    expect(delivery).toMatchObject({ status: 200, body: JSON.stringify({ status: "ignored" }) });
    const lost = await chargeAgain(provider, newId());
    expect((await shop.happens(provider, lost, "paid"))[0]?.status).toBe(404);
  },
);

describe.each(["mercadopago", "pushinpay"])(`what %s says is read back, on ${testDialect}`, (provider) => {
  test.each(["500", "429", "reset", "garbage"])(
    "a webhook while its API answers %s is 503 with Retry-After, and counts when it comes again",
    async (mode) => {
      const { paymentId, checkout } = await shop.sell({ provider, ...OFFER });
      // Many: Bun's fetch asks again by itself where a kept connection breaks, once for each that it keeps.
      await shop.breakDown(provider, mode, 1000);
      const [failed] = await shop.happens(provider, checkout.providerRef, "paid");
      await shop.repair();
      expect(failed).toMatchObject({ status: 503, retry_after: "5" });
      expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
      expect(outcomes(await shop.happens(provider, checkout.providerRef, "paid"))).toEqual(["confirmed"]);
    },
  );
});

describe(`what one provider has of its own, on ${testDialect}`, () => {
  test("Stripe: a dispute is matched through its payment intent, and 503 while that cannot be asked", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "stripe", ...OFFER });
    await shop.happens("stripe", checkout.providerRef, "paid");
    await shop.breakDown("stripe", "500");
    const [failed] = await shop.happens("stripe", checkout.providerRef, "chargeback");
    expect(failed).toMatchObject({ status: 503, retry_after: "5" });
    expect((await shop.stored(paymentId)).payment?.status).toBe("paid");
    await shop.happens("stripe", checkout.providerRef, "chargeback");
    const won = await shop.happens("stripe", checkout.providerRef, "chargeback_won", { times: 3 });
    expect(outcomes(won)).toEqual(["unchanged", "unchanged", "unchanged"]);
    const { payment, notes } = await shop.stored(paymentId);
    expect(payment?.status).toBe("chargeback");
    expect(notes).toBe(1);
  });

  test("Mercado Pago: money that is first heard of when its chargeback was won counts once; a person hears of it", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "mercadopago", ...OFFER });
    const won = await shop.happens("mercadopago", checkout.providerRef, "chargeback_won", { times: 5 });
    expect(outcomes(won).toSorted()).toEqual(["confirmed", ...Array(4).fill("unchanged")]);
    const { payment, eventNames, notes } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "paid", amountMinor: 4990 });
    expect(eventNames).toEqual(BOTH);
    expect(notes).toBe(1);
  });

  test("Stripe: a delayed payment counts when the money is there, not when the page is left", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "stripe", ...OFFER });
    expect(outcomes(await shop.happens("stripe", checkout.providerRef, "processing"))).toEqual(["ignored"]);
    expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
    expect(outcomes(await shop.happens("stripe", checkout.providerRef, "paid"))).toEqual(["confirmed"]);
  });

  test("Stripe: a stale signature is 401", async () => {
    const { checkout } = await shop.sell({ provider: "stripe", ...OFFER });
    const stale = await shop.happens("stripe", checkout.providerRef, "paid", { signature: "stale" });
    expect(stale[0]?.status).toBe(401);
  });

  test.each([
    ["stripe", "noted once"],
    ["mercadopago", "noted once"],
  ])("%s: a partial refund stays paid, and is %s", async (provider) => {
    const { paymentId, checkout } = await shop.sell({ provider, ...OFFER });
    await shop.happens(provider, checkout.providerRef, "paid");
    const again = await shop.happens(provider, checkout.providerRef, "partially_refunded", { times: 5 });
    expect(outcomes(again)).toEqual(Array.from({ length: 5 }, () => "unchanged"));
    const { payment, eventNames, notes } = await shop.stored(paymentId);
    expect(payment?.status).toBe("paid");
    expect(eventNames).toEqual(BOTH);
    expect(notes).toBe(1);
  });

  test("Stripe: who paid is hashed into the Purchase, and stands nowhere in the open", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "stripe", ...OFFER });
    await shop.happens("stripe", checkout.providerRef, "paid");
    const { payment, events } = await shop.stored(paymentId);
    const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
    expect(events[0]?.payload).toMatchObject({
      user_data: { em: sha256("jenny.rosen@example.com"), fn: sha256("jenny"), ln: sha256("rosen") },
    });
    expect(JSON.stringify([payment, events])).not.toMatch(/jenny|rosen/i);
  });

  test.each([
    ["BRL", 4990, "4990", 49.9],
    ["JPY", 1500, "1500", 1500],
    ["KWD", 5120, "5120", 5.12],
    ["ISK", 900, "90000", 900],
    ["MGA", 250_000, "2500", 2500],
  ])("Stripe: %s %d goes as %s, and Meta is told %d", async (currency, priceMinor, amount, value) => {
    const { paymentId, checkout } = await shop.sell({ provider: "stripe", priceMinor, currency });
    const charges = await shop.charges();
    expect(charges.at(-1)).toMatchObject({ amount, currency });
    await shop.happens("stripe", checkout.providerRef, "paid");
    const { payment, events, notes } = await shop.stored(paymentId);
    expect(payment).toMatchObject({ status: "paid", amountMinor: priceMinor });
    expect(events[0]?.payload).toMatchObject({ custom_data: { value, currency } });
    expect(notes).toBe(0);
  });

  test("PushinPay: webhooks as forms count too", async () => {
    const { checkout } = await shop.sell({ provider: "pushinpay", ...OFFER });
    const deliveries = await shop.happens("pushinpay", checkout.providerRef, "paid", { format: "form" });
    expect(outcomes(deliveries)).toEqual(["confirmed"]);
  });

  test("PushinPay: its API is asked once a minute at most; news within the minute is told to come again", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "pushinpay", ...OFFER });
    await shop.happens("pushinpay", checkout.providerRef, "paid");
    const [early] = await shop.happens("pushinpay", checkout.providerRef, "refunded");
    expect(early?.status).toBe(503);
    expect(Number(early?.retry_after)).toBeWithin(50, 61);
    shop.pass(Number(early?.retry_after) * 1000);
    expect(outcomes(await shop.happens("pushinpay", checkout.providerRef, "refunded"))).toEqual(["changed"]);
    expect((await shop.stored(paymentId)).payment?.status).toBe("refunded");
    const refused = shop.sandbox.requests
      .items()
      .filter(({ path, status }) => path.startsWith("/api/transactions/") && status === 429);
    // Only those that a fault of these tests made: PushinPay itself had nothing to refuse.
    expect(refused.every(({ fault }) => fault === "429")).toBe(true);
  });

  test("PushinPay: somebody else's paid transaction does not pay for another payment", async () => {
    const cheap = await shop.sell({ provider: "pushinpay", priceMinor: 50, currency: "BRL" });
    const dear = await shop.sell({ provider: "pushinpay", priceMinor: 999_900, currency: "BRL" });
    await shop.happens("pushinpay", cheap.checkout.providerRef, "paid", { times: 0 });
    const answer = await fetch(`${shop.url}/api/payments/webhooks/pushinpay?ref=${dear.paymentId}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-pushinpay-token": "pushinpay-webhook-0123456789",
      },
      body: JSON.stringify({ id: cheap.checkout.providerRef, status: "paid" }),
    });
    expect(answer.status).toBe(401);
    expect((await shop.stored(dear.paymentId)).payment?.status).toBe("pending");
  });

  test("PushinPay: a transaction that nothing but its id ties to a payment pays for the one it was made for", async () => {
    const { paymentId, checkout } = await shop.sell({ provider: "pushinpay", ...OFFER });
    const tell = (checkoutRef: string) =>
      receiveReport(shop.deps, {
        provider: "pushinpay",
        providerRef: paymentId,
        event: { kind: "paid", chargeId: checkoutRef },
        registration: null,
        checkoutRef,
      });
    expect(await tell(newId())).toEqual({ kind: "unknown" });
    expect((await shop.stored(paymentId)).payment?.status).toBe("pending");
    expect(await tell(checkout.providerRef)).toMatchObject({ kind: "confirmed" });
  });

  test.each(["?ref=of-nobody", "?ref=%00", ""])(
    "PushinPay is asked about no payment that is not ours: %p",
    async (query) => {
      const questions = () =>
        shop.sandbox.requests.items().filter(({ path }) => path.startsWith("/api/transactions/")).length;
      const before = questions();
      for (let i = 0; i < 5; i++) {
        const answer = await fetch(`${shop.url}/api/payments/webhooks/pushinpay${query}`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "x-pushinpay-token": "pushinpay-webhook-0123456789",
          },
          body: JSON.stringify({ id: newId(), status: "paid" }),
        });
        expect(answer.status).toBe(404);
      }
      expect(questions()).toBe(before);
    },
  );

  test("PushinPay without a webhook token is asked about the very charge that the payment was given", async () => {
    const { deps, sandbox } = shop;
    const settings = { apiUrl: sandbox.url, token: "41909|pushinpay0123456789", webhookToken: null };
    const providers = new Map([["pushinpay", pushinPayProvider(settings, deps.now)]]);
    const app = new Elysia().use(paymentsPlugin({ ...deps, providers }));
    const { paymentId, checkout } = await shop.sell({ provider: "pushinpay", ...OFFER });
    const tell = (id: string) =>
      app.handle(
        new Request(`http://localhost/api/payments/webhooks/pushinpay?ref=${paymentId}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, status: "paid" }),
        }),
      );
    const another = newId();
    expect((await tell(another)).status).toBe(404);
    expect(sandbox.requests.items().filter(({ path }) => path.includes(another))).toEqual([]);
    await shop.happens("pushinpay", checkout.providerRef, "paid", { times: 0 });
    expect((await tell(checkout.providerRef)).status).toBe(200);
    expect((await shop.stored(paymentId)).payment?.status).toBe("paid");
  });

  test.each([
    ["is not understood", "generic", { status: "paid", amount_minor: "4990" }, 400],
    ["is about a payment that nobody registered", "generic", { status: "paid" }, 404],
    ["comes for a provider that is not set up", "of-nobody", { status: "paid" }, 404],
  ])("a webhook that %s is told of in the log", async (_, provider, report, status) => {
    const atSeconds = Math.floor(shop.deps.now().getTime() / 1000);
    const webhook = genericWebhook(
      "generic-secret-0123456789",
      { provider_ref: newId(), ...report },
      atSeconds,
    );
    const before = shop.logLines.length;
    expect((await fetch(`${shop.url}/api/payments/webhooks/${provider}`, webhook)).status).toBe(status);
    const lines = shop.logLines.slice(before).map((line) => JSON.parse(line));
    expect(lines).toMatchObject([{ level: 40, provider, msg: expect.stringContaining("webhook") }]);
  });

  test("a webhook of Stripe's whose reference can be no payment's is told of in the log", async () => {
    const session = stripeSession({ client_reference_id: "x".repeat(201) });
    const event = stripeEvent("checkout.session.completed", session);
    const atSeconds = Math.floor(shop.deps.now().getTime() / 1000);
    // Signed by the same scheme.
    const { body, headers } = genericWebhook("whsec_test_0123456789", event, atSeconds);
    const before = shop.logLines.length;
    const answer = await fetch(`${shop.url}/api/payments/webhooks/stripe`, {
      method: "POST",
      headers: { "stripe-signature": headers["x-ponte-signature"] ?? "" },
      body,
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("1 to 200 characters") });
    const lines = shop.logLines.slice(before).map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      {
        level: 40,
        provider: "stripe",
        msg: expect.stringContaining("money that it tells of is not counted"),
      },
    ]);
  });

  test("no log line holds a secret of a provider", () => {
    expect(shop.logLines.length).toBeGreaterThan(0);
    expect(shop.logLines.join("\n")).not.toMatch(/0123456789/);
  });
});
