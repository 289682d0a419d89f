import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { SCHEMAS } from "../../src/api/schemas.ts";
import { recordFunnelState } from "../../src/tracking/funnel-states.ts";
import { testDialect } from "../support/database.ts";
import { type Harness, openHarness } from "./harness.ts";

let api: Harness;
beforeAll(async () => {
  api = await openHarness();
  for (const username of ["shop_bot", "other_bot"]) await api.call("POST", "/api/bots", { username });
});
afterAll(() => api.own.dispose());

const draft = {
  bot: "shop_bot",
  name: "Course",
  description: "Everything\r\nabout <bridges>",
  price_minor: 4_990,
  currency: "brl",
  provider: "mercadopago",
  delivery: "https://example.com/course",
};

/** An offer that was made. */
async function make(extra: object = {}) {
  const { status, body } = await api.call("POST", "/api/offers", { ...draft, ...extra });
  expect(status).toBe(201);
  return SCHEMAS.Offer.parse(body);
}

function paths(body: unknown): string[] {
  return SCHEMAS.Problem.parse(body).errors.map(({ path }) => path);
}

describe(`offers over the API on ${testDialect}`, () => {
  test("are made, read, listed, changed and removed", async () => {
    const made = await api.call("POST", "/api/offers", draft);
    expect(made.status).toBe(201);
    const offer = SCHEMAS.Offer.parse(made.body);
    expect(offer).toMatchObject({
      currency: "BRL",
      description: "Everything\nabout <bridges>",
      enabled: true,
    });
    expect((await api.call("GET", `/api/offers/${offer.id}`)).body).toEqual(made.body);
    expect((await make({ name: "Second" })).position).toBe(offer.position + 1);

    const changed = await api.call("PATCH", `/api/offers/${offer.id}`, {
      price_minor: 3_990,
      enabled: false,
    });
    expect(changed.body).toMatchObject({ price_minor: 3_990, enabled: false, name: "Course" });
    expect((await api.call("PATCH", `/api/offers/${offer.id}`, { enabled: false })).status).toBe(200);

    await api.call("POST", "/api/offers", { ...draft, bot: "@Other_Bot" });
    const page = SCHEMAS.OfferPage.parse((await api.call("GET", "/api/offers?bot=other_bot")).body);
    expect(page.items.map(({ bot }) => bot)).toEqual(["other_bot"]);
    const first = SCHEMAS.OfferPage.parse((await api.call("GET", "/api/offers?limit=1")).body);
    expect(first.next_cursor).toBe(String(offer.id));

    expect((await api.call("DELETE", `/api/offers/${offer.id}`)).status).toBe(204);
    expect((await api.call("GET", `/api/offers/${offer.id}`)).status).toBe(404);
    expect((await api.call("PATCH", `/api/offers/${offer.id}`, { enabled: true })).status).toBe(404);
    const { auditLog } = api.own.db.tables;
    const audit = await api.own.db.select().from(auditLog);
    const actions = audit
      .filter(({ subject }) => subject === `offer:${offer.id}`)
      .map(({ action }) => action);
    expect(actions).toEqual(["offer.create", "offer.update", "offer.delete"]);
  });

  test("Stars are Telegram's: nothing else takes them, and nobody need say so", async () => {
    const { provider: _, ...stars } = { ...draft, currency: "XTR", price_minor: 50 };
    expect((await api.call("POST", "/api/offers", stars)).body).toMatchObject({ provider: "telegram" });
    const wrong = await api.call("POST", "/api/offers", { ...stars, provider: "stripe" });
    expect(wrong).toMatchObject({ status: 422, body: { errors: [{ path: "provider" }] } });
    const { id } = await make();
    const change = { currency: "XTR", price_minor: 50 };
    expect((await api.call("PATCH", `/api/offers/${id}`, change)).status).toBe(422);
    const moved = await api.call("PATCH", `/api/offers/${id}`, { ...change, provider: "telegram" });
    expect(moved.body).toMatchObject({ currency: "XTR", provider: "telegram" });
  });

  test.each([
    ["Pix in dollars", { provider: "mercadopago", currency: "USD" }, "currency"],
    ["less than PushinPay charges", { provider: "pushinpay", price_minor: 49 }, "price_minor"],
    [
      "fils that Stripe does not charge",
      { provider: "stripe", currency: "KWD", price_minor: 5_124 },
      "price_minor",
    ],
    ["a provider without checkouts", { provider: "generic" }, "provider"],
    ["a provider that nobody knows", { provider: "paypal" }, "provider"],
  ])("%s can never be paid: 422, when it is made and when it is changed", async (_, extra, path) => {
    const refused = await api.call("POST", "/api/offers", { ...draft, ...extra });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path }] } });
    const { id } = await make();
    const change = { price_minor: draft.price_minor, ...extra };
    const changed = await api.call("PATCH", `/api/offers/${id}`, change);
    expect(changed).toMatchObject({ status: 422, body: { errors: [{ path }] } });
  });

  test("an offer of old that cannot be paid may be taken off sale, and not put on again", async () => {
    const { id } = await make();
    const { db } = api.own;
    await db.transaction((tx) =>
      tx.update(db.tables.offers).set({ currency: "USD" }).where(eq(db.tables.offers.id, id)),
    );
    expect((await api.call("PATCH", `/api/offers/${id}`, { enabled: false })).status).toBe(200);
    expect((await api.call("PATCH", `/api/offers/${id}`, { enabled: true })).status).toBe(422);
  });

  test("a new currency asks for its price", async () => {
    const { id } = await make();
    const alone = await api.call("PATCH", `/api/offers/${id}`, { currency: "USD" });
    expect(alone).toMatchObject({ status: 422, body: { errors: [{ path: "price_minor" }] } });
  });

  test.each([
    ["a price with decimals", { price_minor: 49.9 }, "price_minor"],
    ["a price of nothing", { price_minor: 0 }, "price_minor"],
    ["a huge price", { price_minor: 1e300 }, "price_minor"],
    ["an unknown currency", { currency: "BRX" }, "currency"],
    ["no name", { name: " " }, "name"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["a delivery that no message holds", { delivery: "x".repeat(3_501) }, "delivery"],
    ["a provider in capitals", { provider: "Stripe" }, "provider"],
    ["an unknown field", { colour: "red" }, "colour"],
  ])("%s is 400, naming the field", async (_, extra, path) => {
    const { status, body } = await api.call("POST", "/api/offers", { ...draft, ...extra });
    expect(status).toBe(400);
    expect(paths(body)).toContain(path);
  });

  test("those of a bot that is not there are refused, not an empty list", async () => {
    expect(await api.call("GET", "/api/offers?bot=@nobody_bot")).toMatchObject({
      status: 400,
      body: {
        detail: "There is no bot @nobody_bot. GET /api/bots lists them.",
        errors: [{ path: "bot", message: "names no bot" }],
      },
    });
  });

  test("no provider where one is needed, and an unknown bot, are 422", async () => {
    const { provider: _, ...without } = draft;
    expect(paths((await api.call("POST", "/api/offers", without)).body)).toEqual(["provider"]);
    const nobody = await api.call("POST", "/api/offers", { ...draft, bot: "nobody_bot" });
    expect(nobody).toMatchObject({ status: 422, body: { errors: [{ path: "bot" }] } });
  });

  test("an offer that somebody looked at stays", async () => {
    const { id } = await make();
    const { db } = api.own;
    const step = { poolId: null, botId: null, botUserId: null, trackingToken: null, offerId: id };
    await db.transaction((tx) =>
      recordFunnelState(tx, db.tables, { ...step, state: "offer_viewed", of: "x" }, new Date()),
    );
    expect((await api.call("DELETE", `/api/offers/${id}`)).status).toBe(409);
  });
});
