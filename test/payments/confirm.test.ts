import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq, inArray, sql } from "drizzle-orm";
import { Elysia } from "elysia";
import { paymentsPlugin } from "../../src/payments/plugin.ts";
import { genericProvider } from "../../src/payments/providers/generic.ts";
import { hmacSha256Hex } from "../../src/platform/digests.ts";
import { createLog } from "../../src/platform/log.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { saveBotUser } from "../../src/tracking/bot-users.ts";
import { timelineByPayment } from "../../src/tracking/timeline.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { addPool } from "../support/pools.ts";
import { visitsOf } from "../support/visits.ts";

const SECRET = "generic-secret-0123456789";
const PIXEL = "5555555555";

let own: TestDatabase;
const logged: { msg: string; provider?: string }[] = [];
let app: { handle(request: Request): Response | Promise<Response> };
let token: string;
let botUserId: number;
let offerId: number;

beforeAll(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "elsewhere", metaPixelId: "6666666666" });
  const shop = await addPool(own.db, { slug: "shop", metaPixelId: PIXEL });
  const botId = shop.bots[0]?.id ?? 0;
  const { tables } = own.db;
  const visit = visitsOf(shop)("fbclid=AbCd&utm_campaign=summer");
  token = visit.trackingToken;
  await own.db.transaction(async (tx) => {
    await recordVisits(tx, tables, [visit]);
    const person = { telegramUserId: "777" };
    const user = await saveBotUser(tx, tables, { botId, person, trackingToken: token }, new Date());
    botUserId = user.id;
    const sold = {
      botId,
      name: "Curso <1>",
      description: "…",
      priceMinor: 4990,
      currency: "BRL",
      provider: "generic",
      delivery: "https://example.com/course",
      createdAt: new Date(),
      updatedAt: new Date(),
    };
    const other = { ...sold, name: "Curso <0>", delivery: "https://example.com/other" };
    const offers = await tx.insert(tables.offers).values([other, sold]).returning();
    offerId = offers.find(({ name }) => name === sold.name)?.id ?? 0;
  });
  app = new Elysia().use(
    paymentsPlugin({
      db: own.db,
      log: createLog("warn", { write: (line) => void logged.push(JSON.parse(line)) }),
      now: () => new Date(),
      starsUsdMinorPerThousand: null,
      consentDenied: "drop",
      trackingData: async () => null,
      providers: new Map([["generic", genericProvider(SECRET, () => new Date())]]),
      authorize: async () => null,
    }),
  );
});
afterAll(() => own.dispose());

let reference = "";
let counter = 0;
beforeEach(() => {
  reference = `order-${++counter}`;
});

function post(path: string, body: string, headers: Record<string, string> = {}) {
  return app.handle(new Request(`http://bridge.example.com${path}`, { method: "POST", body, headers }));
}

function signed(report: object, at?: number, secret = SECRET) {
  const { body, headers } = genericWebhook(secret, report, at);
  return post("/api/payments/webhooks/generic", body, headers);
}

/** Fifty copies of a report at once, each sent as a provider sends it: again, where it is told to come again. */
async function fiftyAtOnce(report: object) {
  let cutOff = 0;
  async function send(): Promise<Response> {
    const answer = await signed(report);
    if (answer.status !== 503) return answer;
    cutOff++;
    return send();
  }
  const answers = await Promise.all(Array.from({ length: 50 }, send));
  const bodies: { id: string; status: string }[] = await Promise.all(answers.map((answer) => answer.json()));
  return { bodies, cutOff };
}

/** One of them says that it confirmed; where some were cut off on a slow machine, it may have been one of those. */
function expectOneConfirmation({ bodies, cutOff }: Awaited<ReturnType<typeof fiftyAtOnce>>) {
  const confirmed = bodies.filter(({ status }) => status === "confirmed").length;
  expect(confirmed).toBeWithin(cutOff > 0 ? 0 : 1, 2);
  expect(bodies.filter(({ status }) => status === "unchanged")).toHaveLength(50 - confirmed);
}

async function register(extra: object = {}) {
  const response = await post(
    "/api/payments",
    JSON.stringify({
      provider: "generic",
      provider_ref: reference,
      amount_minor: 4990,
      currency: "BRL",
      tracking_token: token,
      ...extra,
    }),
  );
  return { status: response.status, body: await response.json() };
}

async function stored(id: string) {
  const { payments, outbox, funnelStates } = own.db.tables;
  const [payment] = await own.db.select().from(payments).where(eq(payments.id, id));
  const events = await own.db.select().from(outbox).where(eq(outbox.paymentId, id)).orderBy(outbox.id);
  const states = await own.db
    .select()
    .from(funnelStates)
    .where(eq(funnelStates.paymentId, id))
    .orderBy(funnelStates.id);
  return { payment, events, states: states.map(({ state }) => state) };
}

async function sellOffer() {
  const { body } = await register();
  await own.db.transaction(async (tx) => {
    await tx
      .update(own.db.tables.payments)
      .set({ offerId, botUserId })
      .where(eq(own.db.tables.payments.id, body.id));
  });
  return String(body.id);
}

describe(`payments on ${testDialect}`, () => {
  test("registers once for each reference, with nothing to read in the database about who buys", async () => {
    const customer = {
      id: "c-1",
      email: "Maria@Example.com ",
      phone: "+55 11 91234-5678",
      first_name: "María",
    };
    const first = await register({ customer });
    const before = await stored(first.body.id);
    const second = await register({ customer });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(await stored(first.body.id)).toEqual(before);
    expect(second.body).toEqual(first.body);
    expect(first.body).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), status: "pending" });
    const { payment } = before;
    expect(payment).toMatchObject({ trackingToken: token, customerUserId: "c-1", metaPurchaseSent: false });
    expect(payment?.customer?.em).toBe(
      new Bun.CryptoHasher("sha256").update("maria@example.com").digest("hex"),
    );
    expect(JSON.stringify(payment)).not.toMatch(/maria|91234/i);
    expect((await register({ amount_minor: 5000 })).status).toBe(409);
    expect((await register({ currency: "USD" })).status).toBe(409);
  });

  test("the same reference at another provider is another payment, with money of its own", async () => {
    const elsewhere = await register({ provider: "another", amount_minor: 100 });
    const here = await register();
    expect([elsewhere.status, here.status]).toEqual([201, 201]);
    expect(here.body.id).not.toBe(elsewhere.body.id);
    const confirmed = await signed({ provider_ref: reference, status: "paid" });
    expect(await confirmed.json()).toEqual({ id: here.body.id, status: "confirmed" });
    expect((await stored(elsewhere.body.id)).payment?.status).toBe("pending");
  });

  test("a confirmation writes payment, Purchase, funnel and delivery, all of it together", async () => {
    const id = await sellOffer();
    const response = await signed({ provider_ref: reference, status: "paid" });
    expect(await response.json()).toEqual({ id, status: "confirmed" });
    const { payment, events, states } = await stored(id);
    expect(payment).toMatchObject({
      status: "paid",
      paidAt: expect.any(Date),
      metaPurchaseSent: true,
      metaPurchaseSentAt: expect.any(Date),
      providerData: null,
    });
    expect(states).toEqual(["checkout_started", "paid"]);
    expect(events.map(({ destination, eventId }) => [destination, eventId])).toEqual([
      ["meta", `purchase_${id}`],
      ["telegram", `delivery_${id}`],
    ]);
    const [purchase, delivery] = events;
    expect(purchase).toMatchObject({ route: PIXEL, status: "pending", trackingToken: token });
    expect(purchase?.payload).toMatchObject({
      event_name: "Purchase",
      event_id: `purchase_${id}`,
      event_time: Math.floor((payment?.createdAt.getTime() ?? 0) / 1000),
      action_source: "website",
      event_source_url: expect.stringContaining("/go/open?fbclid=AbCd"),
      user_data: {
        fbc: expect.stringMatching(/^fb\.1\.\d+\.AbCd$/),
        client_user_agent: "Mozilla/5.0",
        client_ip_address: "177.45.10.9",
        external_id: new Bun.CryptoHasher("sha256").update("777").digest("hex"),
      },
      custom_data: { value: 49.9, currency: "BRL", order_id: reference, utm_campaign: "summer" },
    });
    expect(delivery).toMatchObject({ poolId: payment?.poolId ?? 0, trackingToken: token });
    expect(delivery?.payload).toMatchObject({ method: "sendMessage", body: { chat_id: "777" } });
    expect(JSON.stringify(delivery?.payload)).toContain("https://example.com/course");
    expect(JSON.stringify(delivery?.payload)).toContain("Curso &lt;1&gt;");
  });

  test.each(["ınr", "ßp", "XYZ", "BRL "])("%p is no currency", async (currency) => {
    expect((await register({ currency })).status).toBe(400);
  });

  test.each(["BRL", "XTR"])("%s in small letters is the same currency", async (currency) => {
    const { status, body } = await register({ currency: currency.toLowerCase() });
    expect(status).toBe(201);
    expect((await stored(body.id)).payment?.currency).toBe(currency);
  });

  test("fifty of the same webhook at once leave one Purchase and one delivery", async () => {
    const id = await sellOffer();
    expectOneConfirmation(await fiftyAtOnce({ provider_ref: reference, status: "paid" }));
    const { events, states } = await stored(id);
    expect(events).toHaveLength(2);
    expect(states).toEqual(["checkout_started", "paid"]);
  });

  test("fifty webhooks at once of a payment that nobody registered make and confirm one", async () => {
    const body = {
      provider_ref: reference,
      status: "paid",
      amount_minor: 1500,
      currency: "JPY",
      bot: "shop_bot",
      telegram_user_id: 888,
    };
    const answered = await fiftyAtOnce(body);
    expectOneConfirmation(answered);
    const [id = "", ...others] = new Set(answered.bodies.map((said) => said.id));
    expect(others).toEqual([]);
    const { events } = await stored(id);
    expect(events).toHaveLength(1);
    expect(events[0]?.payload).toMatchObject({
      custom_data: { value: 1500, currency: "JPY" },
      event_source_url: "https://t.me/shop_bot",
      user_data: { external_id: new Bun.CryptoHasher("sha256").update("888").digest("hex") },
    });
  });

  test("a webhook of an unknown reference that does not say enough is 404, so that it comes again", async () => {
    expect((await signed({ provider_ref: reference, status: "paid" })).status).toBe(404);
    const { body } = await register();
    expect((await signed({ provider_ref: reference, status: "paid" })).status).toBe(200);
    expect((await stored(body.id)).payment?.status).toBe("paid");
  });

  test("a refund marks payment and funnel and tells Meta nothing; a late confirmation does not revive it", async () => {
    const { body } = await register();
    await signed({ provider_ref: reference, status: "refunded" });
    await signed({ provider_ref: reference, status: "paid" });
    const { payment, events, states } = await stored(body.id);
    expect(payment).toMatchObject({
      status: "refunded",
      refundedAt: expect.any(Date),
      metaPurchaseSent: false,
    });
    expect(events).toEqual([]);
    expect(states).toEqual(["checkout_started", "refunded"]);
    const { auditLog } = own.db.tables;
    const notes = await own.db
      .select()
      .from(auditLog)
      .where(eq(auditLog.subject, `payment:${body.id}`));
    expect(notes).toHaveLength(1);
  });

  test.each([
    ["pending", "discarded"],
    ["delivered", "delivered"],
    ["dead", "dead"],
  ] as const)("of money that went back, a delivery that was %s ends as %s", async (status, end) => {
    const id = await sellOffer();
    await signed({ provider_ref: reference, status: "paid" });
    const { outboxEvents, outboxProgress } = own.db.tables;
    const delivery = own.db
      .select({ id: outboxEvents.id })
      .from(outboxEvents)
      .where(eq(outboxEvents.eventId, `delivery_${id}`));
    await own.db.transaction((tx) =>
      tx.update(outboxProgress).set({ status }).where(inArray(outboxProgress.id, delivery)),
    );
    const refunded = reference;
    reference = `${refunded}-besides`;
    const besides = await sellOffer();
    await signed({ provider_ref: reference, status: "paid" });
    await signed({ provider_ref: refunded, status: "refunded" });
    const ends = async (of: string) =>
      (await stored(of)).events.map(({ eventName, status }) => [eventName, status]);
    expect(await ends(id)).toEqual([
      ["Purchase", "pending"],
      ["delivery", end],
    ]);
    expect(await ends(besides)).toEqual([
      ["Purchase", "pending"],
      ["delivery", "pending"],
    ]);
  });

  test("a part that is refunded leaves the payment paid and its delivery on its way, and calls a person once", async () => {
    const id = await sellOffer();
    await signed({ provider_ref: reference, status: "paid" });
    for (let i = 0; i < 2; i++) {
      const part = await signed({ provider_ref: reference, status: "refunded", amount_minor: 1000 });
      expect(await part.json()).toEqual({ id, status: "unchanged" });
    }
    const { payment, states } = await stored(id);
    expect(payment).toMatchObject({ status: "paid", refundedAt: null });
    expect(states).not.toContain("refunded");
    const timeline = await timelineByPayment(own.db, id);
    const notes = timeline?.payments.find((known) => known.id === id)?.notes;
    expect(notes).toEqual(["refunded in part: 1000 BRL"]);
    await signed({ provider_ref: reference, status: "refunded", amount_minor: 4990, currency: "BRL" });
    expect((await stored(id)).payment?.status).toBe("refunded");
  });

  test("a refund in another currency is of the whole, and calls a person once", async () => {
    const id = await sellOffer();
    await signed({ provider_ref: reference, status: "paid" });
    for (let i = 0; i < 2; i++) {
      await signed({ provider_ref: reference, status: "refunded", amount_minor: 100, currency: "USD" });
    }
    expect((await stored(id)).payment).toMatchObject({
      status: "refunded",
      providerData: { notes: ["refunded 100 USD of 4990 BRL"] },
    });
  });

  test("less money than asked for is reported as what it is, delivers nothing, and calls a person", async () => {
    const id = await sellOffer();
    await signed({ provider_ref: reference, status: "paid", amount_minor: 100, currency: "BRL" });
    const { payment, events } = await stored(id);
    expect(payment).toMatchObject({ status: "paid", amountMinor: 100 });
    expect(events.map(({ eventName }) => eventName)).toEqual(["Purchase"]);
    expect(events[0]?.payload).toMatchObject({ custom_data: { value: 1 } });
    const timeline = await timelineByPayment(own.db, id);
    const note = "paid 100 BRL, registered 4990 BRL";
    expect(timeline?.payments.find((known) => known.id === id)?.notes).toEqual([note]);
    const registered = timeline?.steps.find((step) => step.kind === "payment" && step.payment_id === id);
    expect(registered?.detail).toContain(note);
  });

  test("a second confirmation with another amount changes nothing", async () => {
    const { body } = await register();
    await signed({ provider_ref: reference, status: "paid" });
    await signed({ provider_ref: reference, status: "paid", amount_minor: 9999, currency: "BRL" });
    const { payment, events } = await stored(body.id);
    expect(payment).toMatchObject({ status: "paid", amountMinor: 4990 });
    expect(events).toHaveLength(1);
  });

  test("a byte-order mark before the JSON is signed like the rest of the body", async () => {
    const { body } = await register();
    const at = Math.floor(Date.now() / 1000);
    const text = `\ufeff${JSON.stringify({ provider_ref: reference, status: "paid" })}`;
    const headers = { "x-ponte-signature": `t=${at},v1=${hmacSha256Hex(SECRET, `${at}.${text}`)}` };
    expect((await post("/api/payments/webhooks/generic", text.slice(1), headers)).status).toBe(401);
    expect((await post("/api/payments/webhooks/generic", text, headers)).status).toBe(200);
    expect((await stored(body.id)).payment?.status).toBe("paid");
  });

  test("signed text that is no JSON is called so, and no field of it missing", async () => {
    const at = Math.floor(Date.now() / 1000);
    const headers = { "x-ponte-signature": `t=${at},v1=${hmacSha256Hex(SECRET, `${at}.paid`)}` };
    const answer = await post("/api/payments/webhooks/generic", "paid", headers);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: "The body is not valid JSON.", errors: [] });
  });

  test("forged, stale and future signatures are 401, and nothing changes", async () => {
    const { body } = await register();
    const paid = { provider_ref: reference, status: "paid" };
    const now = Math.floor(Date.now() / 1000);
    expect((await signed(paid, now, "another-secret")).status).toBe(401);
    expect((await signed(paid, now - 301)).status).toBe(401);
    expect((await signed(paid, now + 301)).status).toBe(401);
    expect((await post("/api/payments/webhooks/generic", JSON.stringify(paid))).status).toBe(401);
    const { body: text, headers } = genericWebhook(SECRET, paid, now);
    const cut = await post("/api/payments/webhooks/generic", text.slice(0, -2), headers);
    expect(cut.status).toBe(401);
    expect((await stored(body.id)).payment?.status).toBe("pending");
  });

  test.each([
    ["a float", { amount_minor: 49.9 }, "amount_minor"],
    ["a negative amount", { amount_minor: -1 }, "amount_minor"],
    ["zero", { amount_minor: 0 }, "amount_minor"],
    ["a huge amount", { amount_minor: 1e300 }, "amount_minor"],
    ["an amount as text", { amount_minor: "4990" }, "amount_minor"],
    ["an unknown currency", { currency: "BRX" }, "currency"],
    ["a token of another form", { tracking_token: "x" }, "tracking_token"],
    ["a bot without a user", { bot: "shop_bot" }, "bot"],
    ["a user with a zero before it", { bot: "shop_bot", telegram_user_id: "0888" }, "telegram_user_id"],
    ["a time in the year 0", { created_at: "0000-12-31T23:59:59Z" }, "created_at"],
    ["a time that is in the year 0 by UTC", { created_at: "0001-01-01T00:00:00+14:00" }, "created_at"],
    ["a time before there was anything to sell here", { created_at: "1999-12-31T23:59:59Z" }, "created_at"],
    ["an unknown field", { amount: 1 }, "amount"],
    ["an empty e-mail", { customer: { email: "" } }, "customer.email"],
    ["a name with NUL", { customer: { first_name: "a\0b" } }, "customer.first_name"],
    ["half a character", { content: { name: "\ud800" } }, "content.name"],
    ["a number for an id", { content: { ids: [17] } }, "content.ids.0"],
  ])("refuses %s, naming the field, once", async (_, extra, path) => {
    const { status, body } = await register(extra);
    expect(status).toBe(400);
    expect(body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  test.each([1_740_830_400, "2025-03-01 12:00:00", "2025-03-01T12:00:00"])(
    "says how to write a sale's time, where it is given as %p",
    async (created_at) => {
      const { body } = await register({ created_at });
      expect(body.errors).toEqual([
        { path: "created_at", message: "an instant such as 2025-03-01T12:00:00Z" },
      ]);
    },
  );

  test.each([
    ["an empty e-mail", { customer: { email: "" } }],
    ["no phone", { customer: { phone: null } }],
    ["no customer", { customer: null }],
    ["a customer that is no object", { customer: "Ana" }],
    ["more of the customer than is asked for", { customer: { email: "ana@example.com", document: "123" } }],
    ["a name that is far too long", { customer: { first_name: "a".repeat(201) } }],
    ["no content", { content: null }],
    ["contents that are all empty", { content: { ids: [null, ""], name: "", type: null } }],
    ["no token", { tracking_token: null }],
    ["an empty token", { tracking_token: "" }],
    ["a token of another form", { tracking_token: "x" }],
    ["a time that is none", { created_at: "yesterday" }],
    ["a time that no database has", { created_at: "0000-01-01T00:00:00Z" }],
    ["a time that no database has by UTC", { created_at: "0001-01-01T00:00:00+14:00" }],
    ["a time before there was anything to sell here", { created_at: "1970-01-20T21:33:20Z" }],
    ["a bot without a user", { bot: "shop_bot", telegram_user_id: null }],
    ["a user that Telegram does not have", { bot: "shop_bot", telegram_user_id: "0888" }],
    ["no amount", { amount_minor: null, currency: null }],
  ])("money that has arrived is not refused for %s", async (_, detail) => {
    const { body } = await register({ content: { name: "Course" } });
    const confirmed = await signed({ provider_ref: reference, status: "paid", ...detail });
    expect(await confirmed.json()).toEqual({ id: body.id, status: "confirmed" });
    expect((await stored(body.id)).events).toHaveLength(1);
    if ("amount_minor" in detail || "tracking_token" in detail) return;
    // Nor where the same webhook is the first that is heard of the payment.
    const money = { amount_minor: 4990, currency: "BRL", tracking_token: token };
    const first = await signed({ provider_ref: `${reference}-first`, status: "paid", ...money, ...detail });
    expect(await first.json()).toMatchObject({ status: "confirmed" });
  });

  test("of the details of a webhook the usable ones count, numbers as text", async () => {
    const customer = { id: 17, email: "", phone: 5511912345678, first_name: null, document: "123" };
    const content = { ids: [17, "", null, "course-1", ...Array(200).fill("x")], name: "" };
    const money = { amount_minor: 4990, currency: "BRL", tracking_token: token };
    const done = await signed({ provider_ref: reference, status: "paid", ...money, customer, content });
    const { payment } = await stored((await done.json()).id);
    expect(payment).toMatchObject({
      customerUserId: "17",
      customer: { ph: new Bun.CryptoHasher("sha256").update("5511912345678").digest("hex") },
    });
    expect(Object.keys(payment?.customer ?? {})).toEqual(["ph"]);
    expect(payment?.content).toEqual({ ids: ["17", "course-1", ...Array(98).fill("x")] });
  });

  test.each([
    ["no reference", { provider_ref: null }],
    ["a reference that is a number", { provider_ref: 17 }],
    ["another status", { status: "succeeded" }],
    ["an amount as text", { amount_minor: "4990" }],
    ["an amount with decimals", { amount_minor: 49.9 }],
    ["an unknown currency", { currency: "BRX" }],
    ["an empty currency", { currency: "" }],
  ])("which payment it was, and how much, must be right: %s is refused", async (_, wrong) => {
    await register();
    const money = { amount_minor: 4990, currency: "BRL" };
    const refused = await signed({ provider_ref: reference, status: "paid", ...money, ...wrong });
    expect(refused.status).toBe(400);
    const { errors } = await refused.json();
    expect(errors.map((error: { path: string }) => error.path)).toEqual(Object.keys(wrong));
  });

  test("a sale by a provider that is not set up is taken, and told of; by Telegram it needs no provider", async () => {
    logged.length = 0;
    for (const provider of ["strype", "telegram", "generic"])
      expect((await register({ provider })).status).toBe(201);
    const told = logged.filter(({ msg }) => msg.includes("a provider that is not set up"));
    expect(told.map(({ provider }) => provider)).toEqual(["strype"]);
  });

  test("while the database does not take it, a registration is to come again, and is taken then", async () => {
    const rename = (from: string, to: string) =>
      own.db.transaction((tx) => tx.rows(sql.raw(`alter table ${from} rename to ${to}`)));
    await rename("funnel_states", "funnel_states_away");
    try {
      expect(await register()).toMatchObject({
        status: 503,
        body: { detail: expect.stringContaining("again") },
      });
    } finally {
      await rename("funnel_states_away", "funnel_states");
    }
    expect((await register()).status).toBe(201);
  });

  test("bodies that are too large, no JSON, or for nobody are clear answers", async () => {
    const cut = await post("/api/payments", "{");
    expect(cut.status).toBe(400);
    expect(await cut.text()).toContain("The body is not valid JSON.");
    expect((await post("/api/payments", `"${"x".repeat(1_000_000)}"`)).status).toBe(413);
    expect((await post("/api/payments/webhooks/nobody", "{}")).status).toBe(404);
    expect((await signed({ status: "paid" })).status).toBe(400);
    const headers = { "content-type": "application/json" };
    const webhook = "http://bridge.example.com/api/payments/webhooks/generic";
    for (const init of [{}, { method: "PUT", headers, body: "{bad" }])
      expect((await app.handle(new Request(webhook, init))).status).toBe(405);
  });
});
