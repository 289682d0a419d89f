import { beforeEach, describe, expect, test } from "bun:test";
import type { PaymentProvider } from "../../src/payments/providers/adapter.ts";
import { pushinPayProvider } from "../../src/payments/providers/pushinpay.ts";
import { PUSHINPAY_ID, pushinPayTransaction, REFERENCE } from "./payloads.ts";
import { event, fromPushinPay, NOW, SECRET, TOKEN, useProviderApi, webhook } from "./provider-api.ts";

const api = useProviderApi();
const settings = { apiUrl: api.url, token: TOKEN, webhookToken: SECRET };
let clock: Date;
let pushinpay: PaymentProvider;
beforeEach(() => {
  clock = NOW;
  pushinpay = pushinPayProvider(settings, () => clock);
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
    api.answer = { status: 200, body: pushinPayTransaction() };
    expect(await pushinpay.read(fromPushinPay(body, { "content-type": type }))).toEqual<object>(event(PAID));
    expect(api.asked).toEqual([
      { method: "GET", path: `/api/transactions/${PUSHINPAY_ID}`, authorization: `Bearer ${TOKEN}` },
    ]);
  });

  test.each([
    ["canceled", { kind: "expired" }],
    ["expired", { kind: "expired" }],
    ["refunded", { kind: "refunded", chargeId: PUSHINPAY_ID }],
    ["chargeback", { kind: "chargeback", chargeId: PUSHINPAY_ID }],
  ])("%s", async (status, expected) => {
    api.answer = { status: 200, body: pushinPayTransaction({ status }) };
    expect(await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status }))).toEqual<object>(
      event(expected),
    );
  });

  test("created is ignored without a question", async () => {
    expect(await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status: "created" }))).toEqual({
      kind: "ignored",
    });
    expect(api.asked).toEqual([]);
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
    expect(api.asked).toEqual([]);
  });

  test.each([
    ["without a token of its own, which anybody could send", null, PUSHINPAY_ID],
    ["with the token, which PushinPay alone sends", SECRET, undefined],
  ])("%s: which checkout must be the payment's", async (_, webhookToken, expected) => {
    const about: (string | undefined)[][] = [];
    const own = pushinPayProvider({ apiUrl: api.url, token: TOKEN, webhookToken }, () => clock);
    const isKnown = async (...names: (string | undefined)[]) => about.push(names) === 0;
    expect(await own.read({ ...fromPushinPay(paid), isKnown })).toMatchObject({ kind: "unknown" });
    expect(about).toEqual([[REFERENCE, expected]]);
  });

  test("the amount is the API's, whatever the webhook says", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ value: 50 }) };
    const boast = await pushinpay.read(fromPushinPay({ ...paid, value: 999_999 }));
    expect(boast).toEqual<object>(event({ ...PAID, amountMinor: 50 }));
  });

  test("a refund that the API does not know of is left for a person", async () => {
    api.answer = { status: 200, body: pushinPayTransaction() };
    const reading = await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status: "refunded" }));
    expect(reading).toMatchObject(event({ ...PAID, note: expect.stringContaining("said refunded") }));
  });

  test("without our reference the transaction's id is the reference", async () => {
    api.answer = {
      status: 200,
      body: pushinPayTransaction({ webhook_url: "https://shop.example.com/hook" }),
    };
    expect(await pushinpay.read(fromPushinPay(paid, {}, ""))).toEqual<object>(event(PAID, PUSHINPAY_ID));
  });

  test("a transaction that tells no address counts only for the payment that it was made for", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ webhook_url: null }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>({
      ...event(PAID),
      checkoutRef: PUSHINPAY_ID,
    });
  });

  test("another transaction than the one asked for is not believed", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ id: "of-somebody-else" }) };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("something else than it was asked for");
  });

  test("paid, and nothing of it: ignored", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ value: "0" }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual({ kind: "ignored" });
  });

  test("a transaction of another payment is forged", async () => {
    const webhook_url = "https://go.example.com/api/payments/webhooks/pushinpay?ref=another";
    api.answer = { status: 200, body: pushinPayTransaction({ webhook_url }) };
    expect(await pushinpay.read(fromPushinPay(paid))).toMatchObject({ kind: "forged" });
  });

  test("fifty at once ask once, and later ones within the minute not again", async () => {
    api.answer = { status: 200, body: pushinPayTransaction() };
    const readings = await Promise.all(Array.from({ length: 50 }, () => pushinpay.read(fromPushinPay(paid))));
    expect(new Set(readings.map((reading) => JSON.stringify(reading))).size).toBe(1);
    clock = new Date(NOW.getTime() + 59_000);
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
    expect(api.asked).toHaveLength(1);
    clock = new Date(NOW.getTime() + 60_000);
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
    expect(api.asked).toHaveLength(2);
  });

  test("an API that is behind its webhook is asked again when it may be", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ status: "created" }) };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toMatchObject({ retryAfterSeconds: 60 });
    // Whole seconds, and none too few.
    clock = new Date(NOW.getTime() + 20_900);
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toMatchObject({ retryAfterSeconds: 40 });
    expect(api.asked).toHaveLength(1);
  });

  test.each(["paid", "refunded", "chargeback"])(
    "%s, and ended without money by its API, which is behind: to be sent again",
    async (status) => {
      api.answer = { status: 200, body: pushinPayTransaction({ status: "canceled" }) };
      const told = () => pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status }));
      await expect(told()).rejects.toMatchObject({ retryAfterSeconds: 60 });
      clock = new Date(NOW.getTime() + 60_000);
      api.answer = { status: 200, body: pushinPayTransaction({ status }) };
      expect(await told()).toMatchObject({ kind: "event", event: { chargeId: PUSHINPAY_ID } });
    },
  );

  test("an end without money has several words, and none is older than another", async () => {
    api.answer = { status: 200, body: pushinPayTransaction({ status: "canceled" }) };
    const reading = await pushinpay.read(fromPushinPay({ id: PUSHINPAY_ID, status: "expired" }));
    expect(reading).toEqual<object>(event({ kind: "expired" }));
  });

  test.each([
    ["another token", fromPushinPay(paid, { "x-pushinpay-token": "guess" })],
    ["no token", webhook(paid, {}, `ref=${REFERENCE}`)],
  ])("%s: forged, and the API is not asked", async (_, request) => {
    expect(await pushinpay.read(request)).toMatchObject({ kind: "forged" });
    expect(api.asked).toEqual([]);
  });

  test("a transaction that PushinPay does not know is forged", async () => {
    api.answer = { status: 404, body: [] };
    expect(await pushinpay.read(fromPushinPay(paid))).toMatchObject({ kind: "forged" });
  });

  test.each([
    ["cut short", '{"id":"9c29'],
    ["no id", { status: "paid" }],
    ["an id that leads elsewhere", { id: "../users", status: "paid" }],
    ["an id as a number", { id: 1, status: "paid" }],
  ])("%s: malformed, and the API is not asked", async (_, body) => {
    expect(await pushinpay.read(fromPushinPay(body))).toMatchObject({ kind: "malformed" });
    expect(api.asked).toEqual([]);
  });

  test("an API that hangs is to be asked again at once", async () => {
    api.answer = "hang";
    const impatient = { ...settings, timeoutMs: 50 };
    pushinpay = pushinPayProvider(impatient, () => clock);
    for (let i = 0; i < 2; i++) {
      await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("did not answer");
    }
  });

  test("an API that fails is to be asked again at once", async () => {
    api.answer = { status: 500, body: {} };
    await expect(pushinpay.read(fromPushinPay(paid))).rejects.toThrow("PushinPay answered 500");
    api.answer = { status: 200, body: pushinPayTransaction() };
    expect(await pushinpay.read(fromPushinPay(paid))).toEqual<object>(event(PAID));
  });
});
