import { describe, expect, test } from "bun:test";
import { mercadoPagoProvider } from "../../src/payments/providers/mercadopago.ts";
import { hmacSha256Hex } from "../../src/platform/digests.ts";
import { LONGEST_ANSWER } from "../../src/platform/read-answer.ts";
import { startRedirecting } from "../support/redirecting.ts";
import { mercadoPagoNotification, mercadoPagoPayment, REFERENCE } from "./payloads.ts";
import { CHECKOUT, event, PAID, SECRET, TOKEN, useProviderApi, webhook } from "./provider-api.ts";

const api = useProviderApi();
const settings = { apiUrl: api.url, webhookSecret: SECRET, accessToken: TOKEN };
const mercadopago = mercadoPagoProvider(settings);

function fromMercadoPago(
  body: object | string = mercadoPagoNotification(),
  { id = "1234567890", secret = SECRET } = {},
) {
  const ts = "1716651000";
  const v1 = hmacSha256Hex(secret, `id:${id.toLowerCase()};request-id:req-1;ts:${ts};`);
  const headers = { "x-request-id": "req-1", "x-signature": `ts=${ts},v1=${v1}` };
  return webhook(body, headers, `source_news=webhooks&data.id=${id}&type=payment`);
}

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
    [
      "charged back, and won",
      { status: "charged_back", status_detail: "reimbursed" },
      { ...PAID, chargeId: "1234567890", note: "the chargeback of 1234567890 was won: the money is back" },
    ],
    ["cancelled", { status: "cancelled", status_detail: "expired" }, { kind: "expired" }],
    ["rejected", { status: "rejected" }, { kind: "expired" }],
  ])("%s, as its API says", async (_, changes, expected) => {
    api.answer = { status: 200, body: mercadoPagoPayment(changes) };
    expect(await mercadopago.read(fromMercadoPago())).toMatchObject(event(expected));
    expect(api.asked).toEqual([
      { method: "GET", path: "/v1/payments/1234567890", authorization: `Bearer ${TOKEN}` },
    ]);
  });

  test.each(["pending", "in_process", "authorized", "in_mediation"])(
    "%s is not the end: ignored",
    async (status) => {
      api.answer = { status: 200, body: mercadoPagoPayment({ status }) };
      expect(await mercadopago.read(fromMercadoPago())).toEqual({ kind: "ignored" });
    },
  );

  test("updated, and as it was made by what the API says: to be sent again, because the API is behind", async () => {
    const date_created = "2026-05-25T13:01:02.000-03:00";
    const pending = (date_last_updated: string) => ({
      status: 200,
      body: mercadoPagoPayment({ status: "pending", date_created, date_last_updated }),
    });
    api.answer = pending(date_created);
    await expect(mercadopago.read(fromMercadoPago())).rejects.toThrow("shows it as it was made (yet)");
    const created = mercadoPagoNotification({ action: "payment.created" });
    expect(await mercadopago.read(fromMercadoPago(created))).toEqual({ kind: "ignored" });
    api.answer = pending("2026-05-25T13:01:40.000-03:00");
    expect(await mercadopago.read(fromMercadoPago())).toEqual({ kind: "ignored" });
  });

  test("what the notification says besides its id is not believed", async () => {
    api.answer = { status: 200, body: mercadoPagoPayment({ status: "pending" }) };
    const boast = mercadoPagoNotification({ action: "payment.approved", status: "approved" });
    expect(await mercadopago.read(fromMercadoPago(boast))).toEqual({ kind: "ignored" });
  });

  test.each([null, ""])("a payment of somebody's own (%j) is known by its id", async (reference) => {
    api.answer = { status: 200, body: mercadoPagoPayment({ external_reference: reference }) };
    expect(await mercadopago.read(fromMercadoPago())).toMatchObject({ providerRef: "1234567890" });
  });

  test("another topic, and the panel's simulator, are ignored", async () => {
    const request = fromMercadoPago();
    request.query.set("type", "merchant_order");
    expect(await mercadopago.read(request)).toEqual({ kind: "ignored" });
    expect(api.asked).toEqual([]);
    api.answer = { status: 404, body: { message: "Payment not found" } };
    const simulated = fromMercadoPago(mercadoPagoNotification({ live_mode: false }));
    expect(await mercadopago.read(simulated)).toEqual({ kind: "ignored" });
  });

  test("a sale of a test account, which its API knows, is one: it is no simulator's", async () => {
    api.answer = { status: 200, body: mercadoPagoPayment() };
    const tried = fromMercadoPago(mercadoPagoNotification({ live_mode: false }));
    expect(await mercadopago.read(tried)).toMatchObject(event(PAID));
  });

  test("without a type in the address the body's counts; without a request id none is signed", async () => {
    const ts = "1716651000";
    const v1 = hmacSha256Hex(SECRET, `id:1234567890;ts:${ts};`);
    const headers = { "x-signature": `ts=${ts},v1=${v1}` };
    api.answer = { status: 200, body: mercadoPagoPayment() };
    const bare = webhook(mercadoPagoNotification(), headers, "data.id=1234567890");
    expect(await mercadopago.read(bare)).toMatchObject(event(PAID));
  });

  test("ids with letters are signed in lower case", async () => {
    api.answer = { status: 200, body: mercadoPagoPayment({ id: "PAY01AB" }) };
    expect(await mercadopago.read(fromMercadoPago(undefined, { id: "PAY01AB" }))).toMatchObject({
      kind: "event",
    });
  });

  test("an old notification is believed no more than a new one: the API is asked", async () => {
    // Its ts is two years old here, in every test.
    api.answer = { status: 200, body: mercadoPagoPayment({ status: "refunded" }) };
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
    expect(api.asked).toEqual([]);
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
    ["an answer without an end", 200, " ".repeat(LONGEST_ANSWER) + JSON.stringify(mercadoPagoPayment())],
  ])("%s from the API: to be sent again", async (_, status, body) => {
    api.answer = { status, body };
    await expect(mercadopago.read(fromMercadoPago())).rejects.toThrow("Mercado Pago");
  });

  test("an API that hangs is given up", async () => {
    api.answer = "hang";
    const impatient = mercadoPagoProvider({ ...settings, timeoutMs: 50 });
    await expect(impatient.read(fromMercadoPago())).rejects.toThrow("did not answer within 50 ms");
  });
});

describe("what Mercado Pago is asked", () => {
  test.each([
    ["https://go.example.com/hook", "go.example.com"],
    ["http://203.0.113.7:3000/hook", "example.com"],
    ["http://localhost:3000/hook", "example.com"],
  ])("signed notifications alone to %s, and a payer at %s", async (webhookUrl, domain) => {
    api.answer = {
      status: 201,
      body: { id: 1, point_of_interaction: { transaction_data: { qr_code: "pix" } } },
    };
    await mercadopago.createCheckout?.({ ...CHECKOUT, webhookUrl });
    expect(JSON.parse(api.posted)).toMatchObject({
      notification_url: `${webhookUrl}?source_news=webhooks`,
      payer: { email: `pix-${REFERENCE}@${domain}` },
    });
  });

  test("a redirect is not followed: our key would go along", async () => {
    using server = startRedirecting();
    const own = mercadoPagoProvider({ ...settings, apiUrl: server.url });
    await expect(own.read(fromMercadoPago())).rejects.toThrow("answered 307");
    expect(server.paths).toEqual(["/v1/payments/1234567890"]);
  });

  test.each([0, 270])(
    "the words of a refusal are kept short, and our key out of them, after %d others",
    async (before) => {
      api.answer = { status: 400, body: { message: `${"x".repeat(before)} ${TOKEN} ${"x".repeat(500)}` } };
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
