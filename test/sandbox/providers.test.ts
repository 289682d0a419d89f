import { describe, expect, test } from "bun:test";
import { useSandbox } from "./client.ts";

let aheadMs = 0;
const { call, sandbox } = useSandbox({ now: () => Date.now() + aheadMs });

const STRIPE = {
  authorization: "Bearer sk_test_0123456789",
  "content-type": "application/x-www-form-urlencoded",
};
const BEARER = { authorization: "Bearer token-0123456789" };
const session = (changes: Readonly<Record<string, string>> = {}) =>
  new URLSearchParams({
    mode: "payment",
    client_reference_id: "order-1",
    success_url: "https://t.me/my_shop_bot",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "brl",
    "line_items[0][price_data][unit_amount]": "4990",
    "line_items[0][price_data][product_data][name]": "Curso <1>",
    ...changes,
  }).toString();
const pix = (changes: object = {}) => ({
  transaction_amount: 49.9,
  payment_method_id: "pix",
  payer: { email: "buyer@example.com" },
  ...changes,
});

describe("the stand-in for Stripe", () => {
  test.each([
    ["an unknown parameter", { colour: "red" }, "Received unknown parameter: colour"],
    ["a parameter that it would not heed", { expires_at: "1" }, "Received unknown parameter: expires_at"],
    ["a float", { "line_items[0][price_data][unit_amount]": "49.90" }, "Invalid integer: 49.90"],
    ["no address to go back to", { success_url: "bot" }, "Not a valid URL: success_url"],
    [
      "a fil that it does not charge",
      { "line_items[0][price_data][currency]": "kwd", "line_items[0][price_data][unit_amount]": "5124" },
      "amount must be divisible by 10",
    ],
    [
      "krónur without their zeros",
      { "line_items[0][price_data][currency]": "isk", "line_items[0][price_data][unit_amount]": "5" },
      "amount must be divisible by 100",
    ],
  ])("refuses %s", async (_, changes, message) => {
    const answer = await call("POST", "/v1/checkout/sessions", session(changes), STRIPE);
    expect(answer).toMatchObject({ status: 400, json: { error: { message } } });
  });

  test("refuses a publishable key", async () => {
    const headers = { ...STRIPE, authorization: "Bearer pk_test_0123456789" };
    expect((await call("POST", "/v1/checkout/sessions", session(), headers)).status).toBe(401);
  });

  test("answers an idempotency key once, and refuses it for another sale", async () => {
    const headers = { ...STRIPE, "idempotency-key": "key-1" };
    const first = await call("POST", "/v1/checkout/sessions", session(), headers);
    const again = await call("POST", "/v1/checkout/sessions", session(), headers);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    const other = await call(
      "POST",
      "/v1/checkout/sessions",
      session({ client_reference_id: "order-2" }),
      headers,
    );
    expect(other.status).toBe(400);
  });

  test("has a page to pay on, which escapes what it shows and leads back to the shop", async () => {
    const { json } = await call("POST", "/v1/checkout/sessions", session(), STRIPE);
    const page = await fetch(json.url);
    expect(await page.text()).toContain("Curso &lt;1&gt;");
    const paid = await fetch(json.url, { method: "POST", redirect: "manual" });
    expect(paid.status).toBe(303);
    expect(paid.headers.get("location")).toBe("https://t.me/my_shop_bot");
    expect(await (await fetch(json.url)).text()).toContain("This is paid.");
  });

  test("says of a payment what was given for the payment, and nothing of its session's", async () => {
    const given = session({ "metadata[reference]": "order-1", "payment_intent_data[metadata][shop]": "1" });
    const { json } = await call("POST", "/v1/checkout/sessions", given, STRIPE);
    expect(json.metadata).toEqual({ reference: "order-1" });
    const pay = { provider: "stripe", charge: json.id, event: "paid", times: 0 };
    await call("POST", "/providers/events", pay);
    const intent = `/v1/payment_intents/pi_${json.id.slice(-24)}`;
    expect((await call("GET", intent, undefined, STRIPE)).json.metadata).toEqual({ shop: "1" });
  });

  test("sends no webhook before it is told where to", async () => {
    const { json } = await call("POST", "/v1/checkout/sessions", session(), STRIPE);
    const answer = await call("POST", "/providers/events", {
      provider: "stripe",
      charge: json.id,
      event: "paid",
    });
    expect(answer.status).toBe(409);
  });
});

describe("the stand-in for Mercado Pago", () => {
  test.each([
    ["without an idempotency key", pix(), {}, "Header X-Idempotency-Key can't be null"],
    [
      "three decimals",
      pix({ transaction_amount: 1.234 }),
      { "x-idempotency-key": "k" },
      "Invalid transaction_amount",
    ],
    [
      "an amount as text",
      pix({ transaction_amount: "49.90" }),
      { "x-idempotency-key": "k" },
      "Invalid transaction_amount",
    ],
    [
      "no payer",
      pix({ payer: undefined }),
      { "x-idempotency-key": "k" },
      "payer.email must be a valid email",
    ],
    [
      "a wrong address",
      pix({ notification_url: "x" }),
      { "x-idempotency-key": "k" },
      "notification_url attribute must be url valid",
    ],
    [
      "a body that does not say that it is JSON",
      pix(),
      { "x-idempotency-key": "k", "content-type": "text/plain" },
      "The body is not valid JSON",
    ],
  ])("refuses %s", async (_, body, headers, message) => {
    const answer = await call("POST", "/v1/payments", body, { ...BEARER, ...headers });
    expect(answer).toMatchObject({ status: 400, json: { message } });
  });

  test("tells of a payment what has become of it", async () => {
    const headers = { ...BEARER, "x-idempotency-key": "key-2" };
    const { json: created } = await call("POST", "/v1/payments", pix(), headers);
    expect(created).toMatchObject({ status: "pending", transaction_amount: 49.9 });
    await call("POST", "/providers/events", {
      provider: "mercadopago",
      charge: String(created.id),
      event: "refunded",
      times: 0,
    });
    const { json: now } = await call("GET", `/v1/payments/${created.id}`, undefined, BEARER);
    expect(now).toMatchObject({ id: created.id, status: "refunded", transaction_amount_refunded: 49.9 });
  });
});

describe("the stand-in for PushinPay", () => {
  test("refuses less than 50 cents, and floats", async () => {
    for (const value of [49, 50.5, "50"]) {
      expect((await call("POST", "/api/pix/cashIn", { value }, BEARER)).status).toBe(422);
    }
  });

  test("refuses a body that does not say that it is JSON", async () => {
    const plain = { ...BEARER, "content-type": "text/plain" };
    expect((await call("POST", "/api/pix/cashIn", { value: 50 }, plain)).status).toBe(406);
  });

  test("refuses to be asked for one transaction twice within a minute", async () => {
    const { json } = await call("POST", "/api/pix/cashIn", { value: 50 }, BEARER);
    const read = () => call("GET", `/api/transactions/${json.id}`, undefined, BEARER);
    expect(await read()).toMatchObject({ status: 200, json: { status: "created", value: "50" } });
    expect((await read()).status).toBe(429);
    aheadMs += 60_000;
    expect((await read()).status).toBe(200);
  });

  test("a fault strikes the provider that it is meant for", async () => {
    await call("POST", "/providers/faults", { provider: "pushinpay", mode: "500" });
    expect((await call("POST", "/v1/checkout/sessions", session(), STRIPE)).status).toBe(200);
    expect((await call("POST", "/api/pix/cashIn", { value: 50 }, BEARER)).status).toBe(500);
    expect((await call("POST", "/api/pix/cashIn", { value: 50 }, BEARER)).status).toBe(200);
  });

  test("no secret shows among the requests received", async () => {
    await call("POST", "/api/pix/cashIn", { value: 50 }, BEARER);
    const list = JSON.stringify(sandbox().requests.items());
    expect(list).toContain("/api/pix/cashIn");
    expect(list).not.toContain("token-0123456789");
  });
});
