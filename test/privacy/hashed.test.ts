import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { hmacSha256Hex } from "../../src/platform/digests.ts";
import { newId } from "../../src/platform/ids.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { openDispatcher } from "../../src/services.ts";
import { sha256 } from "../meta/builders.ts";
import {
  mercadoPagoNotification,
  mercadoPagoPayment,
  PUSHINPAY_ID,
  pushinPayTransaction,
  stripeEvent,
  stripeSession,
} from "../payments/payloads.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { startToken } from "../support/start-token.ts";
import { dump } from "./traces.ts";

const SECRET = "a-secret-of-every-provider-0123456789";
const API_KEY = "test-api-key-0123456789";

/** One buyer, as every way in writes her. */
const RAW = {
  email: "Anabelle.Quintanilha@Example.COM",
  normalEmail: "anabelle.quintanilha@example.com",
  phone: "+55 (11) 98765-4321",
  digits: "5511987654321",
  localDigits: "11987654321",
  firstName: "Anabelle",
  lastName: "Quintanilha",
  taxNumber: "19119119100",
} as const;
const DIGESTS = { em: RAW.normalEmail, ph: RAW.digits, fn: "anabelle", ln: "quintanilha" };

/** The providers' APIs, which name the buyer in every answer. */
const providers = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    const { pathname } = new URL(request.url);
    const fail = request.headers.get("authorization") === null;
    if (fail) return new Response(null, { status: 401 });
    return pathname.startsWith("/v1/payments/")
      ? Response.json(
          mercadoPagoPayment({
            external_reference: references.mercadopago,
            payer: {
              email: RAW.email,
              first_name: RAW.firstName,
              identification: { type: "CPF", number: RAW.taxNumber },
            },
          }),
        )
      : Response.json(
          pushinPayTransaction({
            webhook_url: `https://go.example.com/api/payments/webhooks/pushinpay?ref=${references.pushinpay}`,
            payer_name: `${RAW.firstName} ${RAW.lastName}`,
            payer_national_registration: RAW.taxNumber,
          }),
        );
  },
});
const references = {
  stripe: newId(),
  mercadopago: newId(),
  pushinpay: newId(),
  shop: newId(),
  atOnce: newId(),
};

let own: TestApp;
let sandbox: Awaited<ReturnType<typeof startSandbox>>;
let token: string;
const answers: string[] = [];
beforeAll(async () => {
  sandbox = await startSandbox();
  own = await createTestApp({
    API_KEY,
    META_GRAPH_URL: sandbox.url,
    TELEGRAM_API_URL: sandbox.url,
    GENERIC_WEBHOOK_SECRET: SECRET,
    STRIPE_SECRET_KEY: SECRET,
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_API_URL: providers.url.origin,
    MERCADOPAGO_ACCESS_TOKEN: SECRET,
    MERCADOPAGO_WEBHOOK_SECRET: SECRET,
    MERCADOPAGO_API_URL: providers.url.origin,
    PUSHINPAY_TOKEN: SECRET,
    PUSHINPAY_WEBHOOK_TOKEN: SECRET,
    PUSHINPAY_API_URL: providers.url.origin,
  });
  await addPool(own.db, {
    slug: "shop",
    sendInitiateCheckout: true,
    metaAccessToken: own.deps.secrets.seal("EAAtest-token-0123456789", "pools.meta_access_token"),
  });
  await own.deps.pools.refresh();
  const page = await (await own.request("/go/shop?fbclid=AbCdEf")).text();
  token = startToken(page);
});
afterAll(async () => {
  await own.dispose();
  await sandbox.stop();
  await providers.stop(true);
});

async function post(path: string, body: object | string, headers: Record<string, string> = {}) {
  const response = await own.request(path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}`, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  answers.push(text);
  return { status: response.status, text };
}

const register = (changes: object) =>
  post("/api/payments", { amount_minor: 4990, currency: "BRL", tracking_token: token, ...changes });

const customer = { email: RAW.email, phone: RAW.phone, first_name: RAW.firstName, last_name: RAW.lastName };

function signed(path: string, header: string, body: object, key = SECRET) {
  const raw = JSON.stringify(body);
  const t = Math.floor(Date.now() / 1000);
  return post(path, raw, { [header]: `t=${t},v1=${hmacSha256Hex(key, `${t}.${raw}`)}` });
}
const generic = (body: object, key?: string) =>
  signed("/api/payments/webhooks/generic", "x-ponte-signature", body, key);

describe(`what people are called, on ${testDialect}`, () => {
  test("the operator's shop, its webhooks, Stripe, Mercado Pago and PushinPay name a buyer", async () => {
    const shop = { provider: "generic", provider_ref: references.shop, customer };
    expect((await register(shop)).status).toBe(201);
    expect((await register(shop)).status).toBe(200);
    expect((await generic({ provider_ref: references.shop, status: "paid", customer })).status).toBe(200);
    const atOnce = { provider_ref: references.atOnce, status: "paid", amount_minor: 100, currency: "BRL" };
    expect((await generic({ ...atOnce, tracking_token: token, customer })).status).toBe(200);

    await register({ provider: "stripe", provider_ref: references.stripe });
    const session = stripeSession({
      client_reference_id: references.stripe,
      customer_details: {
        email: RAW.email,
        phone: RAW.phone,
        name: `${RAW.firstName} ${RAW.lastName}`,
      },
    });
    const event = stripeEvent("checkout.session.completed", session);
    expect((await signed("/api/payments/webhooks/stripe", "stripe-signature", event)).status).toBe(200);

    await register({ provider: "mercadopago", provider_ref: references.mercadopago });
    const manifest = hmacSha256Hex(SECRET, "id:1234567890;request-id:req-1;ts:1716651000;");
    const notified = await post(
      "/api/payments/webhooks/mercadopago?data.id=1234567890&type=payment",
      mercadoPagoNotification(),
      { "x-request-id": "req-1", "x-signature": `ts=1716651000,v1=${manifest}` },
    );
    expect(notified).toMatchObject({ status: 200, text: expect.stringContaining("confirmed") });

    await register({ provider: "pushinpay", provider_ref: references.pushinpay });
    const pix = await post(
      `/api/payments/webhooks/pushinpay?ref=${references.pushinpay}`,
      pushinPayTransaction({ id: PUSHINPAY_ID, payer_name: RAW.firstName }),
      { "x-pushinpay-token": SECRET },
    );
    expect(pix).toMatchObject({ status: 200, text: expect.stringContaining("confirmed") });
  });

  test("shops that know customers by e-mail or phone hand that over as their id", async () => {
    for (const id of [RAW.email, RAW.normalEmail, `+${RAW.digits}`]) {
      const made = await register({ provider: "generic", provider_ref: newId(), customer: { id } });
      expect(made.status).toBe(201);
    }
    const plain = await register({
      provider: "generic",
      provider_ref: newId(),
      customer: { id: "customer-17" },
    });
    expect(plain.status).toBe(201);
    const { payments } = own.db.tables;
    const ids = (await own.db.select({ id: payments.customerUserId }).from(payments)).map(({ id }) => id);
    expect(ids).toContain("customer-17");
    expect(ids).toContain(await sha256(RAW.normalEmail));
  });

  test("it comes malformed, forged, in conflict, and while the database fails", async () => {
    const shop = { provider: "generic", provider_ref: references.shop, customer };
    expect((await register({ ...shop, amount_minor: 1 })).status).toBe(409);
    expect((await register({ ...shop, surprise: RAW.email })).status).toBe(400);
    expect((await register({ ...shop, currency: RAW.email })).status).toBe(400);
    expect((await register({ ...shop, customer: [RAW.email] })).status).toBe(400);
    expect((await post("/api/payments", `{"customer": {"email": "${RAW.email}"`)).status).toBe(400);
    const wrong = "another-secret-0123456789";
    expect((await generic({ provider_ref: newId(), status: "paid", customer }, wrong)).status).toBe(401);
    expect((await generic({ provider_ref: newId(), status: RAW.email })).status).toBe(400);
    expect((await generic({ provider_ref: newId(), status: "paid", customer })).status).toBe(404);
    const rename = (from: string, to: string) =>
      own.db.transaction((tx) => tx.rows(sql.raw(`alter table payments rename column ${from} to ${to}`)));
    await rename("customer", "customer_elsewhere");
    expect((await register({ ...shop, provider_ref: newId() })).status).toBe(503);
    expect((await generic({ provider_ref: references.shop, status: "refunded" })).status).toBe(503);
    await rename("customer_elsewhere", "customer");
  });

  test("everything is sent", async () => {
    await openDispatcher(own.deps).drain();
    const sent = sandbox.events.list().map(({ event }) => event);
    expect(sent.filter(({ event_name }) => event_name === "Purchase")).toHaveLength(5);
    for (const [key, normal] of Object.entries(DIGESTS)) {
      expect(JSON.stringify(sent)).toContain(`"${key}":"${await sha256(normal)}"`);
    }
  });

  test("and nobody is called by name anywhere: tables, files, spool, Redis, logs, what was sent, our answers", async () => {
    const places = [
      ...(await dump(own.db)),
      ...filesOf(own.deps.config.dataDir),
      ...(await redisOf(own)),
      ...own.logLines.map((line) => ({ table: `log: ${line.msg}`, text: JSON.stringify(line) })),
      ...sandbox.requests.items().map((request) => ({ table: "sent", text: JSON.stringify(request) })),
      ...sandbox.events.list().map((event) => ({ table: "Meta", text: JSON.stringify(event) })),
      ...answers.map((text) => ({ table: "answer", text })),
    ];
    const leaks = places.flatMap(({ table, text }) =>
      Object.entries(RAW)
        .filter(([, raw]) => text.toLowerCase().includes(raw.toLowerCase()))
        .map(([name]) => `${name} in ${table}`),
    );
    expect([...new Set(leaks)]).toEqual([]);
    // All this would be worth nothing if the digests were not there, or what was looked through were empty.
    const em = await sha256(RAW.normalEmail);
    for (const table of ["payments", "outbox_events", "Meta"]) {
      expect(places.some((place) => place.table === table && place.text.includes(em))).toBe(true);
    }
    expect(places.some(({ table }) => table === "spool.db")).toBe(true);
    expect(own.logLines.some(({ level }) => level >= 50)).toBe(true);
    if (own.deps.redis) expect(places.some(({ table }) => table === "Redis")).toBe(true);
  });
});

/** What lies in the data folder, byte by byte: the spool, and SQLite's file with its log. */
function filesOf(folder: string) {
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => ({ table: name, text: readFileSync(join(folder, name), "latin1") }));
}

async function redisOf({ deps }: TestApp) {
  const copy = await deps.redis?.hgetall(`ponte:tracking:${token}`);
  return copy ? [{ table: "Redis", text: JSON.stringify(copy) }] : [];
}
