import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PaymentProvider, WebhookRequest } from "../../src/payments/providers/adapter.ts";
import { mercadoPagoProvider } from "../../src/payments/providers/mercadopago.ts";
import { pushinPayProvider } from "../../src/payments/providers/pushinpay.ts";
import { stripeProvider } from "../../src/payments/providers/stripe.ts";
import { hmacSha256Hex } from "../../src/platform/secrets.ts";
import { startRedirecting } from "../support/redirecting.ts";
import {
  mercadoPagoNotification,
  mercadoPagoPayment,
  PUSHINPAY_ID,
  pushinPayTransaction,
  REFERENCE,
  stripeCharge,
  stripeDispute,
  stripeEvent,
  stripeSession,
} from "./payloads.ts";

const NOW = new Date("2026-05-25T16:02:00Z");
const SECONDS = NOW.getTime() / 1000;
const SECRET = "secret-0123456789";
const TOKEN = "bearer-0123456789";

/** What the provider's API answers, and what it was asked. */
let answer: { status: number; body: unknown } | "hang" = { status: 404, body: {} };
let asked: { method: string; path: string; authorization: string | null }[] = [];
let posted = "";
const api = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const { pathname } = new URL(request.url);
    asked.push({
      method: request.method,
      path: pathname,
      authorization: request.headers.get("authorization"),
    });
    posted = await request.text();
    if (answer === "hang")
      await new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    const { status, body } = answer === "hang" ? { status: 500, body: {} } : answer;
    return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
  },
});
afterAll(() => api.stop(true));

const apiUrl = api.url.origin;
const settings = { apiUrl, webhookSecret: SECRET };
const stripe = stripeProvider({ ...settings, secretKey: TOKEN }, () => NOW);
const mercadopago = mercadoPagoProvider({ ...settings, accessToken: TOKEN });
let clock = NOW;
let pushinpay: PaymentProvider;
beforeEach(() => {
  asked = [];
  answer = { status: 404, body: {} };
  clock = NOW;
  pushinpay = pushinPayProvider({ apiUrl, token: TOKEN, webhookToken: SECRET }, () => clock);
});

function bodyOf(text: string) {
  return { bytes: new TextEncoder().encode(text), text };
}

function webhook(
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
  query = "",
): WebhookRequest {
  return {
    ...bodyOf(typeof body === "string" ? body : JSON.stringify(body)),
    headers: new Headers(headers),
    query: new URLSearchParams(query),
    isKnown: async () => true,
  };
}

function fromStripe(body: object | string, { at = SECONDS, secret = SECRET } = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return webhook(text, { "stripe-signature": `t=${at},v1=${hmacSha256Hex(secret, `${at}.${text}`)}` });
}

function fromMercadoPago(
  body: object | string = mercadoPagoNotification(),
  { id = "1234567890", secret = SECRET } = {},
) {
  const ts = "1716651000";
  const v1 = hmacSha256Hex(secret, `id:${id.toLowerCase()};request-id:req-1;ts:${ts};`);
  const headers = { "x-request-id": "req-1", "x-signature": `ts=${ts},v1=${v1}` };
  return webhook(body, headers, `source_news=webhooks&data.id=${id}&type=payment`);
}

function fromPushinPay(body: object | string, headers: Record<string, string> = {}, ref = REFERENCE) {
  return webhook(body, { "x-pushinpay-token": SECRET, ...headers }, ref && `ref=${ref}`);
}

const event = (paymentEvent: object, providerRef = REFERENCE) => ({
  kind: "event",
  providerRef,
  event: paymentEvent,
  registration: null,
});
const PAID = { kind: "paid", amountMinor: 4990, currency: "BRL" };
const STRIPE_CHARGE = "pi_1GszAT2eZvKYlo2CpzrNQ6Bp";

describe("Stripe's documented events", () => {
  test.each([
    ["a paid session", "checkout.session.completed", stripeSession(), PAID],
    ["a delayed payment that came", "checkout.session.async_payment_succeeded", stripeSession(), PAID],
    [
      "yen",
      "checkout.session.completed",
      stripeSession({ amount_total: 1500, currency: "jpy" }),
      { kind: "paid", amountMinor: 1500, currency: "JPY" },
    ],
    [
      "dinars",
      "checkout.session.completed",
      stripeSession({ amount_total: 5120, currency: "kwd" }),
      { kind: "paid", amountMinor: 5120, currency: "KWD" },
    ],
    [
      "krónur",
      "checkout.session.completed",
      stripeSession({ amount_total: 500, currency: "isk" }),
      { kind: "paid", amountMinor: 5, currency: "ISK" },
    ],
    [
      "a page that ran out",
      "checkout.session.expired",
      stripeSession({ payment_status: "unpaid", status: "expired" }),
      { kind: "expired" },
    ],
    [
      "a delayed payment that failed",
      "checkout.session.async_payment_failed",
      stripeSession({ payment_status: "unpaid" }),
      { kind: "expired" },
    ],
    ["a full refund", "charge.refunded", stripeCharge(), { kind: "refunded", chargeId: STRIPE_CHARGE }],
  ])("%s", async (_, type, object, expected) => {
    const reading = await stripe.read(fromStripe(stripeEvent(type, object)));
    expect(reading).toMatchObject(event(expected));
    expect(asked).toEqual([]);
  });

  test("a partial refund is noted, with the amount as Stripe has it", async () => {
    const charge = stripeCharge({ refunded: false, amount_refunded: 100 });
    const reading = await stripe.read(fromStripe(stripeEvent("charge.refunded", charge)));
    expect(reading).toMatchObject(
      event({ kind: "noted", note: expect.stringContaining("refunded in part: 100 BRL") }),
    );
  });

  test.each([
    ["opened", "charge.dispute.created", "needs_response", { kind: "chargeback", chargeId: STRIPE_CHARGE }],
    ["lost", "charge.dispute.closed", "lost", { kind: "chargeback", chargeId: STRIPE_CHARGE }],
    ["won", "charge.dispute.closed", "won", { kind: "noted" }],
    ["only an inquiry", "charge.dispute.created", "warning_needs_response", { kind: "noted" }],
    ["an inquiry that was closed", "charge.dispute.closed", "warning_closed", { kind: "noted" }],
  ])("a dispute that is %s, known by its payment intent's metadata", async (_, type, status, expected) => {
    answer = {
      status: 200,
      body: { id: "pi_1", object: "payment_intent", metadata: { reference: REFERENCE } },
    };
    const reading = await stripe.read(fromStripe(stripeEvent(type, stripeDispute({ status }))));
    expect(reading).toMatchObject(event(expected));
    expect(asked).toEqual([
      {
        method: "GET",
        path: "/v1/payment_intents/pi_1GszAT2eZvKYlo2CpzrNQ6Bp",
        authorization: `Bearer ${TOKEN}`,
      },
    ]);
  });

  test.each([
    [
      "a session that is not paid yet",
      "checkout.session.completed",
      stripeSession({ payment_status: "unpaid" }),
    ],
    [
      "a session with nothing to pay",
      "checkout.session.completed",
      stripeSession({ payment_status: "no_payment_required", amount_total: 0 }),
    ],
    ["a refund of what is not ours", "charge.refunded", stripeCharge({ metadata: {} })],
    ["a dispute over no payment intent", "charge.dispute.created", stripeDispute({ payment_intent: null })],
    ["another kind", "customer.created", { id: "cus_1", object: "customer" }],
    ["a kind that Stripe invents later", "unicorn.saddled", {}],
  ])("%s is ignored", async (_, type, object) => {
    expect(await stripe.read(fromStripe(stripeEvent(type, object)))).toEqual({ kind: "ignored" });
  });

  test("a dispute over what is not ours is ignored", async () => {
    answer = { status: 200, body: { id: "pi_1", metadata: {} } };
    const dispute = stripeEvent("charge.dispute.created", stripeDispute());
    expect(await stripe.read(fromStripe(dispute))).toEqual({ kind: "ignored" });
  });

  test("a session of somebody's own is known by its metadata, else by its id", async () => {
    const completed = (changes: object) =>
      stripe.read(fromStripe(stripeEvent("checkout.session.completed", stripeSession(changes))));
    expect(await completed({ client_reference_id: null })).toMatchObject({ providerRef: REFERENCE });
    expect(await completed({ client_reference_id: null, metadata: {} })).toMatchObject({
      providerRef: "cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u",
    });
  });

  test.each([
    ["no JSON", "not json"],
    ["a list", "[]"],
    ["no type", stripeEvent("", {}) && "{}"],
    ["a session without an id", stripeEvent("checkout.session.completed", { payment_status: "paid" })],
    ["a float", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 49.9 }))],
    ["nothing to pay", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 0 }))],
    ["a negative amount", stripeEvent("checkout.session.completed", stripeSession({ amount_total: -1 }))],
    ["a huge amount", stripeEvent("checkout.session.completed", stripeSession({ amount_total: 1e300 }))],
    ["an unknown currency", stripeEvent("checkout.session.completed", stripeSession({ currency: "brx" }))],
    [
      "half a króna",
      stripeEvent("checkout.session.completed", stripeSession({ currency: "isk", amount_total: 550 })),
    ],
    ["a refund without a charge", stripeEvent("charge.refunded", {})],
  ])("signed, and %s: malformed", async (_, body) => {
    expect(await stripe.read(fromStripe(body))).toMatchObject({ kind: "malformed" });
  });

  const paid = JSON.stringify(stripeEvent("checkout.session.completed", stripeSession()));
  test.each([
    ["another secret", fromStripe(paid, { secret: "somebody-else-01" })],
    ["six minutes old", fromStripe(paid, { at: SECONDS - 360 })],
    ["from the future", fromStripe(paid, { at: SECONDS + 360 })],
    ["no signature", webhook(paid)],
    ["an empty one", webhook(paid, { "stripe-signature": "" })],
    ["one without v1", webhook(paid, { "stripe-signature": `t=${SECONDS},v0=abc` })],
    ["a body cut short", { ...fromStripe(paid), ...bodyOf(paid.slice(0, -1)) }],
    ["a body with a space more", { ...fromStripe(paid), ...bodyOf(`${paid} `) }],
    [
      "another time beside the same signature",
      webhook(paid, {
        "stripe-signature": (fromStripe(paid).headers.get("stripe-signature") ?? "").replace(
          /t=\d+/,
          `t=${SECONDS - 1}`,
        ),
      }),
    ],
  ])("%s: forged", async (_, request) => {
    expect(await stripe.read(request)).toMatchObject({ kind: "forged" });
  });

  test("while a secret is being changed, one good signature of two is enough", async () => {
    const good = fromStripe(paid).headers.get("stripe-signature") ?? "";
    const two = good.replace(",", `,v1=${"0".repeat(64)},`);
    expect(await stripe.read(webhook(paid, { "stripe-signature": two }))).toMatchObject({ kind: "event" });
  });
});

describe("Mercado Pago's documented notifications", () => {
  test.each([
    ["approved", {}, PAID],
    [
      "approved, with more digits than a float holds well",
      { transaction_amount: 1.15 },
      { ...PAID, amountMinor: 115 },
    ],
    [
      "approved, and a part given back",
      { status_detail: "partially_refunded", transaction_amount_refunded: 10.5 },
      { ...PAID, note: "refunded in part: 10.5 BRL" },
    ],
    ["refunded", { status: "refunded" }, { kind: "refunded", chargeId: "1234567890" }],
    [
      "charged back",
      { status: "charged_back", status_detail: "settled" },
      { kind: "chargeback", chargeId: "1234567890" },
    ],
    ["charged back, and won", { status: "charged_back", status_detail: "reimbursed" }, { kind: "noted" }],
    ["cancelled", { status: "cancelled", status_detail: "expired" }, { kind: "expired" }],
    ["rejected", { status: "rejected" }, { kind: "expired" }],
  ])("%s, as its API says", async (_, changes, expected) => {
    answer = { status: 200, body: mercadoPagoPayment(changes) };
    expect(await mercadopago.read(fromMercadoPago())).toMatchObject(event(expected));
    expect(asked).toEqual([
      { method: "GET", path: "/v1/payments/1234567890", authorization: `Bearer ${TOKEN}` },
    ]);
  });

  test.each(["pending", "in_process", "authorized", "in_mediation"])(
    "%s is not the end: ignored",
    async (status) => {
      answer = { status: 200, body: mercadoPagoPayment({ status }) };
      expect(await mercadopago.read(fromMercadoPago())).toEqual({ kind: "ignored" });
    },
  );

  test("what the notification says besides its id is not believed", async () => {
    answer = { status: 200, body: mercadoPagoPayment({ status: "pending" }) };
    const boast = mercadoPagoNotification({ action: "payment.approved", status: "approved" });
    expect(await mercadopago.read(fromMercadoPago(boast))).toEqual({ kind: "ignored" });
  });

  test.each([null, ""])("a payment of somebody's own (%j) is known by its id", async (reference) => {
    answer = { status: 200, body: mercadoPagoPayment({ external_reference: reference }) };
    expect(await mercadopago.read(fromMercadoPago())).toMatchObject({ providerRef: "1234567890" });
  });

  test("another topic, and the panel's simulator, are ignored", async () => {
    const request = fromMercadoPago();
    request.query.set("type", "merchant_order");
    expect(await mercadopago.read(request)).toEqual({ kind: "ignored" });
    expect(asked).toEqual([]);
    answer = { status: 404, body: { message: "Payment not found" } };
    const simulated = fromMercadoPago(mercadoPagoNotification({ live_mode: false }));
    expect(await mercadopago.read(simulated)).toEqual({ kind: "ignored" });
  });

  test("without a type in the address the body's counts; without a request id none is signed", async () => {
    const ts = "1716651000";
    const v1 = hmacSha256Hex(SECRET, `id:1234567890;ts:${ts};`);
    const headers = { "x-signature": `ts=${ts},v1=${v1}` };
    answer = { status: 200, body: mercadoPagoPayment() };
    const bare = webhook(mercadoPagoNotification(), headers, "data.id=1234567890");
    expect(await mercadopago.read(bare)).toMatchObject(event(PAID));
  });

  test("ids with letters are signed in lower case", async () => {
    answer = { status: 200, body: mercadoPagoPayment({ id: "PAY01AB" }) };
    expect(await mercadopago.read(fromMercadoPago(undefined, { id: "PAY01AB" }))).toMatchObject({
      kind: "event",
    });
  });

  test("an old notification is believed no more than a new one: the API is asked", async () => {
    // Its ts is two years old here, in every test.
    answer = { status: 200, body: mercadoPagoPayment({ status: "refunded" }) };
    expect(await mercadopago.read(fromMercadoPago())).toMatchObject(event({ kind: "refunded" }));
  });

  test.each([
    ["another secret", fromMercadoPago(undefined, { secret: "somebody else's" })],
    ["no signature", webhook(mercadoPagoNotification(), {}, "data.id=1234567890&type=payment")],
    [
      "another request id",
      webhook(
        "{}",
        { "x-request-id": "req-2", "x-signature": fromMercadoPago().headers.get("x-signature") ?? "" },
        "data.id=1234567890",
      ),
    ],
    [
      "another payment",
      webhook(
        "{}",
        { "x-request-id": "req-1", "x-signature": fromMercadoPago().headers.get("x-signature") ?? "" },
        "data.id=99",
      ),
    ],
    [
      "half a signature",
      webhook("{}", { "x-request-id": "req-1", "x-signature": "ts=1716651000" }, "data.id=1234567890"),
    ],
  ])("%s: forged, and the API is not asked", async (_, request) => {
    expect(await mercadopago.read(request)).toMatchObject({ kind: "forged" });
    expect(asked).toEqual([]);
  });

  test("signed, and cut short: malformed", async () => {
    const cut = JSON.stringify(mercadoPagoNotification()).slice(0, 40);
    expect(await mercadopago.read(fromMercadoPago(cut))).toMatchObject({ kind: "malformed" });
  });

  test.each([
    ["a payment that is not there yet", 404, { message: "Payment not found" }],
    ["another payment", 200, mercadoPagoPayment({ id: 99 })],
    ["an amount that cannot be right", 200, mercadoPagoPayment({ transaction_amount: 49.999 })],
    ["approved, and nothing of it", 200, mercadoPagoPayment({ transaction_amount: 0 })],
    ["a refusal", 401, { message: "invalid access token" }],
    ["an error", 500, { message: "internal_error" }],
    ["no JSON", 200, "<html>"],
  ])("%s from the API: to be sent again", async (_, status, body) => {
    answer = { status, body };
    await expect(mercadopago.read(fromMercadoPago())).rejects.toThrow("Mercado Pago");
  });

  test("an API that hangs is given up", async () => {
    answer = "hang";
    const impatient = mercadoPagoProvider({ ...settings, accessToken: TOKEN, timeoutMs: 50 });
    await expect(impatient.read(fromMercadoPago())).rejects.toThrow("did not answer within 50 ms");
  });
});

describe("PushinPay's documented webhooks", () => {
  const paid = { id: PUSHINPAY_ID, value: 4990, status: "paid" };
  /** The transaction goes along as the charge: there may be two for one payment. */
  const PAID = { kind: "paid", amountMinor: 4990, currency: "BRL", chargeId: PUSHINPAY_ID };

  test.each([
    ["JSON", JSON.stringify(paid), "application/json"],
    [
      "a form",
      `id=${PUSHINPAY_ID.toUpperCase()}&value=4990&status=PAID`,
      "application/x-www-form-urlencoded",
    ],
  ])("paid, as %s and as its API says", async (_, body, type) => {
    answer = { status: 200, body: pushinPayTransaction() };
    expect(await pushinpay.read(fromPushinPay(body, { "content-type": type }))).toEqual<object>(event(PAID));
    expect(asked).toEqual([
      { method: "GET", path: `/api/transactions/${PUSHINPAY_ID}`, authorization: `Bearer ${TOKEN}` },
    ]);
  });

  test.each([
    ["canceled", { kind: "expired" }],
    ["expired", { kind: "expired" }],
    ["refunded", { kind: "refunded", chargeId: PUSHINPAY_ID }],
    ["chargeback", { kind: "chargeback", chargeId: PUSHINPAY_ID }],
  ])("%s", async (status, expected) => {
    answer = { status: 200, body: pushinPayTransaction({ status }) };
    expect(await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status }))).toEqual<object>(
      event(expected),
    );
  });

  test("created is ignored without a question", async () => {
    expect(await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status: "created" }))).toEqual({
      kind: "ignored",
    });
    expect(asked).toEqual([]);
  });

  test("about no payment of ours it asks nothing, by reference or by id", async () => {
    const isKnown = async () => false;
    for (const [ref, providerRef] of [
      [REFERENCE, REFERENCE],
      ["", PUSHINPAY_ID],
    ] as const) {
      const reading = await pushinpay.read({ ...fromPushinPay(paid, {}, ref), isKnown });
      expect(reading).toEqual({ kind: "unknown", providerRef });
    }
    expect(asked).toEqual([]);
  });

  test.each([
    ["without a token of its own, which anybody could send", null, PUSHINPAY_ID],
    ["with the token, which PushinPay alone sends", SECRET, undefined],
  ])("%s: which checkout must be the payment's", async (_, webhookToken, expected) => {
    const about: (string | undefined)[][] = [];
    const own = pushinPayProvider({ apiUrl, token: TOKEN, webhookToken }, () => clock);
    const isKnown = async (...names: (string | undefined)[]) => about.push(names) === 0;
    expect(await own.read({ ...fromPushinPay(paid), isKnown })).toMatchObject({ kind: "unknown" });
    expect(about).toEqual([[REFERENCE, expected]]);
  });

  test("the amount is the API's, whatever the webhook says", async () => {
    answer = { status: 200, body: pushinPayTransaction({ value: 50 }) };
    const boast = await pushinpay.read(fromPushinPay({ ...paid, value: 999_999 }));
    expect(boast).toEqual<object>(event({ ...PAID, amountMinor: 50 }));
  });

  test("a refund that the API does not know of is left for a person", async () => {
    answer = { status: 200, body: pushinPayTransaction() };
    const reading = await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status: "refunded" }));
    expect(reading).toMatchObject(event({ ...PAID, note: expect.stringContaining("said refunded") }));
  });

  test("without our reference the transaction's id is the reference", async () => {
    answer = { status: 200, body: pushinPayTransaction({ webhook_url: "https://shop.example.com/hook" }) };
    expect(await pushinpay.read(fromPushinPay(paid, {}, ""))).toEqual<object>(event(PAID, PUSHINPAY_ID));
  });

  test("a transaction that tells no address counts only for the payment that it was made for", async () => {
    answer = { status: 200, body: pushinPayTransaction({ webhook_url: null }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>({
      ...event(PAID),
      checkoutRef: PUSHINPAY_ID,
    });
  });

  test("another transaction than the one asked for is not believed", async () => {
    answer = { status: 200, body: pushinPayTransaction({ id: "of-somebody-else" }) };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("something else than it was asked for");
  });

  test("paid, and nothing of it: ignored", async () => {
    answer = { status: 200, body: pushinPayTransaction({ value: "0" }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual({ kind: "ignored" });
  });

  test("a transaction of another payment is forged", async () => {
    const webhook_url = "https://go.example.com/api/payments/webhooks/pushinpay?ref=another";
    answer = { status: 200, body: pushinPayTransaction({ webhook_url }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toMatchObject({ kind: "forged" });
  });

  test("fifty at once ask once, and later ones within the minute not again", async () => {
    answer = { status: 200, body: pushinPayTransaction() };
    const readings = await Promise.all(Array.from({ length: 50 }, () => pushinpay.read(fromPushinPay(paid))));
    expect(new Set(readings.map((reading) => JSON.stringify(reading))).size).toBe(1);
    clock = new Date(NOW.getTime() + 59_000);
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
    expect(asked).toHaveLength(1);
    clock = new Date(NOW.getTime() + 60_000);
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
    expect(asked).toHaveLength(2);
  });

  test("an API that is behind its webhook is asked again when it may be", async () => {
    answer = { status: 200, body: pushinPayTransaction({ status: "created" }) };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toMatchObject({ retryAfterSeconds: 60 });
    clock = new Date(NOW.getTime() + 20_000);
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toMatchObject({ retryAfterSeconds: 40 });
    expect(asked).toHaveLength(1);
  });

  test.each([
    ["another token", fromPushinPay(paid, { "x-pushinpay-token": "guess" })],
    ["no token", webhook(paid, {}, `ref=${REFERENCE}`)],
  ])("%s: forged, and the API is not asked", async (_, request) => {
    expect(await pushinpay.read(request)).toMatchObject({ kind: "forged" });
    expect(asked).toEqual([]);
  });

  test("a transaction that PushinPay does not know is forged", async () => {
    answer = { status: 404, body: [] };
    expect(await pushinpay.read(fromPushinPay(paid))).toMatchObject({ kind: "forged" });
  });

  test.each([
    ["cut short", '{"id":"9c29'],
    ["no id", { status: "paid" }],
    ["an id that leads elsewhere", { id: "../users", status: "paid" }],
    ["an id as a number", { id: 1, status: "paid" }],
  ])("%s: malformed, and the API is not asked", async (_, body) => {
    expect(await pushinpay.read(fromPushinPay(body))).toMatchObject({ kind: "malformed" });
    expect(asked).toEqual([]);
  });

  test("an API that hangs is to be asked again at once", async () => {
    answer = "hang";
    const impatient = { apiUrl, token: TOKEN, webhookToken: SECRET, timeoutMs: 50 };
    pushinpay = pushinPayProvider(impatient, () => clock);
    for (let i = 0; i < 2; i++) {
      await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("did not answer");
    }
  });

  test("and so is one that fails", async () => {
    answer = { status: 500, body: {} };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("PushinPay answered 500");
    answer = { status: 200, body: pushinPayTransaction() };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
  });
});

describe("what a provider's API is asked", () => {
  const checkout = {
    reference: REFERENCE,
    title: "Curso",
    amountMinor: 4990,
    currency: "BRL",
    webhookUrl: "https://go.example.com/api/payments/webhooks/mercadopago",
    returnUrl: "https://t.me/shop_bot",
  };

  test("Stripe: our reference rides down to the charge, by which refunds and disputes are known", async () => {
    answer = { status: 200, body: { id: "cs_1", url: "https://checkout.stripe.com/c/1" } };
    await stripe.createCheckout?.(checkout);
    expect(Object.fromEntries(new URLSearchParams(posted))).toMatchObject({
      client_reference_id: REFERENCE,
      "payment_intent_data[metadata][reference]": REFERENCE,
    });
  });

  test.each([
    ["https://go.example.com/hook", "go.example.com"],
    ["http://203.0.113.7:3000/hook", "example.com"],
    ["http://localhost:3000/hook", "example.com"],
  ])("Mercado Pago: signed notifications alone to %s, and a payer at %s", async (webhookUrl, domain) => {
    answer = {
      status: 201,
      body: { id: 1, point_of_interaction: { transaction_data: { qr_code: "pix" } } },
    };
    await mercadopago.createCheckout?.({ ...checkout, webhookUrl });
    expect(JSON.parse(posted)).toMatchObject({
      notification_url: `${webhookUrl}?source_news=webhooks`,
      payer: { email: `pix-${REFERENCE}@${domain}` },
    });
  });

  test("a redirect is not followed: our key would go along", async () => {
    using server = startRedirecting();
    const own = mercadoPagoProvider({ ...settings, apiUrl: server.url, accessToken: TOKEN });
    await expect(own.read(fromMercadoPago())).rejects.toThrow("answered 307");
    expect(server.paths).toEqual(["/v1/payments/1234567890"]);
  });

  test.each([0, 270])(
    "its words are kept short, and our key out of them, after %d others",
    async (before) => {
      answer = { status: 400, body: { message: `${"x".repeat(before)} ${TOKEN} ${"x".repeat(500)}` } };
      const { message } = await mercadopago.read(fromMercadoPago()).then(
        () => new Error("it was believed"),
        (error: Error) => error,
      );
      expect(message).toStartWith("Mercado Pago answered 400: ");
      expect(message).not.toContain("bearer");
      expect(message.length).toBeLessThan(330);
    },
  );
});

describe("any bytes at all", () => {
  const anything = fc.record({
    rawBody: fc.oneof(fc.string({ unit: "binary" }), fc.json()),
    header: fc.string({ unit: fc.constantFrom(..."t=v1,0sabc ") }),
    query: fc.dictionary(fc.constantFrom("data.id", "type", "ref"), fc.string()),
  });

  test("are answered by every adapter with a verdict, unsigned ones never with an event", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async ({ rawBody, header, query }) => {
        const headers = new Headers({
          "stripe-signature": header,
          "x-signature": header,
          "x-pushinpay-token": header,
        });
        const request = { ...webhook(rawBody), headers, query: new URLSearchParams(query) };
        for (const provider of [stripe, mercadopago, pushinpay]) {
          expect(await provider.read(request)).toMatchObject({ kind: "forged" });
        }
      }),
    );
    expect(asked).toEqual([]);
  });

  test("signed by the provider they are malformed or ignored, and nothing throws", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async ({ rawBody }) => {
        const fine = ["malformed", "ignored"];
        expect(fine).toContain((await stripe.read(fromStripe(rawBody))).kind);
        const unknown = fromPushinPay(rawBody);
        expect(fine).toContain((await pushinpay.read(unknown)).kind);
      }),
    );
  });
});
