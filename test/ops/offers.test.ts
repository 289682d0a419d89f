import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createOffer } from "../../src/offers/manage-offers.ts";
import { findOfferView, listOffers, type OfferView } from "../../src/offers/offer-view.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { lastAudit } from "../support/audit.ts";
import { testDialect } from "../support/database.ts";
import { errorsIn, type FormValues, inlineScripts } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addPool } from "../support/pools.ts";

const EVIL = `"><script>alert(1)</script>`;

let own: TestApp;
let operator: TestOperator;
let botPath: string;
beforeAll(async () => {
  own = await createTestApp({ OPERATOR_PASSWORD, PUSHINPAY_TOKEN: "push-token" });
  operator = await logIn(own);
  const { bots } = await addPool(own.db, { slug: "shop" });
  botPath = `/ops/bots/${bots[0]?.id}`;
});
afterAll(() => own.dispose());

const see = (path: string) => operator.see(path);

async function offerOf(id: number): Promise<OfferView> {
  const offer = await findOfferView(own.db, own.db.tables, id);
  if (!offer) throw new Error(`there is no offer ${id}`);
  return offer;
}

const formOn = (path: string) => operator.formOn(path);

const course = {
  name: "Course",
  description: "All about\r\nbridges",
  price: "49.90",
  currency: "brl",
  provider: "pushinpay",
  delivery: "https://example.com/course",
};

/** Makes an offer by the form, and answers it as it is stored. */
async function makeOffer(fields: FormValues = {}): Promise<OfferView> {
  const path = `${botPath}/offers/new`;
  const answer = await operator.post(path, { ...(await formOn(path)), ...course, ...fields });
  expect(answer.headers.get("location")).toBe(botPath);
  const { items } = await listOffers(own.db, own.db.tables, { limit: 200 });
  const offer = items.at(-1);
  if (!offer) throw new Error("no offer was made");
  return offer;
}

describe(`the console's offers on ${testDialect}`, () => {
  test("an offer is made out of the form's fields and stands with its price in its bot's list", async () => {
    const offer = await makeOffer();
    expect(offer).toMatchObject({
      bot: "shop_bot",
      name: "Course",
      description: "All about\nbridges",
      price_minor: 4_990,
      currency: "BRL",
      provider: "pushinpay",
      delivery: "https://example.com/course",
      position: 0,
      enabled: true,
    });
    const html = await see(botPath);
    expect(html).toContain(`href="/ops/offers/${offer.id}"`);
    expect(html).toContain("R$49.90");
    expect(await lastAudit(own.db)).toMatchObject({
      actor: "console",
      action: "offer.create",
      subject: `offer:${offer.id}`,
      after: { price_minor: 4_990 },
    });
  });

  test("a form that is sent three times at once, and again later, makes one offer", async () => {
    const path = `${botPath}/offers/new`;
    const form = { ...(await formOn(path)), ...course, name: "Once" };
    const named = async (name: string) => {
      const { items } = await listOffers(own.db, own.db.tables, { limit: 200 });
      return items.filter((offer) => offer.name === name).length;
    };
    const answers = await Promise.all([1, 2, 3].map(() => operator.post(path, form)));
    answers.push(await operator.post(path, form));
    expect(answers.map(({ headers }) => headers.get("location"))).toEqual(Array(4).fill(botPath));
    expect(await named("Once")).toBe(1);
    await operator.post(path, { ...form, name: "Twice" });
    await operator.post(path, { ...(await formOn(path)), ...course, name: "Twice" });
    expect(await named("Twice")).toBe(2);
  });

  test("the list is in the order in which the bot shows it", async () => {
    await makeOffer({ name: "Shown last", position: "900" });
    await makeOffer({ name: "Shown first", position: "700" });
    const html = await see(botPath);
    expect(html.indexOf("Shown first")).toBeLessThan(html.indexOf("Shown last"));
    expect((await makeOffer({ name: "Further" })).position).toBe(901);
  });

  test.each([
    ["0.29", "BRL", 29],
    ["1000", "BRL", 100_000],
    ["1.1", "USD", 110],
    ["9999999999999.99", "BRL", 999_999_999_999_999],
    ["1500", "JPY", 1_500],
    ["5.124", "KWD", 5_124],
    ["50", "xtr", 50],
  ])("%s %s is kept as %d, to the last digit", async (price, currency, minor) => {
    const offer = await makeOffer({ price, currency, provider: "telegram" });
    expect(offer.price_minor).toBe(minor);
    const path = `/ops/offers/${offer.id}`;
    await operator.post(path, await formOn(path));
    expect(await see(path)).toContain("Nothing was different.");
    expect(await offerOf(offer.id)).toEqual(offer);
  });

  test("any price that a currency can have survives the form", async () => {
    const { id } = await makeOffer();
    const path = `/ops/offers/${id}`;
    const digits = fc.integer({ min: 1, max: 999_999_999_999_999 });
    await fc.assert(
      fc.asyncProperty(digits, fc.constantFrom("BRL", "JPY", "KWD", "CLF"), async (minor, currency) => {
        const decimals = { BRL: 2, JPY: 0, KWD: 3, CLF: 4 }[currency] ?? 0;
        const text = String(minor).padStart(decimals + 1, "0");
        const at = text.length - decimals;
        const price = decimals === 0 ? text : `${text.slice(0, at)}.${text.slice(at)}`;
        await operator.post(path, { ...(await formOn(path)), price, currency, provider: "telegram" });
        expect(await offerOf(id)).toMatchObject({ price_minor: minor, currency });
        expect((await formOn(path)).price).toEqual([price]);
      }),
      { numRuns: 10 },
    );
  });

  test.each([
    ["49,90", "BRL", "with digits and a point, as in 49.90"],
    ["1.000", "BRL", "BRL has at most 2 decimals"],
    ["49.9", "JPY", "JPY has no decimals: write it as in 4990"],
    ["0", "BRL", "above 0, as in 49.90"],
    ["0.00", "BRL", "above 0, as in 49.90"],
    ["-1", "BRL", "with digits and a point"],
    ["1e3", "BRL", "with digits and a point"],
    ["99999999999999999", "BRL", "with digits and a point"],
    ["", "BRL", "with digits and a point"],
  ])("the price %p in %s is refused beside its field", async (price, currency, words) => {
    const before = await own.db.$count(own.db.tables.offers);
    const answer = await operator.post(`${botPath}/offers/new`, { ...course, price, currency });
    expect(answer.status).toBe(400);
    const errors = errorsIn(await answer.text());
    expect(Object.keys(errors)).toEqual(["price"]);
    expect(errors.price).toContain(words);
    expect(await own.db.$count(own.db.tables.offers)).toBe(before);
  });

  test("what is wrong stands beside its field, what was typed stays, and nothing is saved", async () => {
    const before = await makeOffer();
    const path = `/ops/offers/${before.id}`;
    const answer = await operator.post(path, {
      ...(await formOn(path)),
      name: "",
      description: `${EVIL}\u0007`,
      currency: "BRX",
      provider: "",
      delivery: "",
      position: "first",
    });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(errorsIn(html)).toMatchObject({
      name: expect.stringContaining("1 to 100"),
      description: expect.any(String),
      currency: expect.stringContaining("ISO 4217"),
      provider: expect.stringContaining("who takes the money"),
      delivery: expect.any(String),
      position: "0 to 1000000",
    });
    expect(html).toContain("&lt;script");
    expect(inlineScripts(html)).toEqual([]);
    expect(await offerOf(before.id)).toEqual(before);
    const stars = await operator.post(path, { ...(await formOn(path)), currency: "XTR", price: "50" });
    expect(errorsIn(await stars.text())).toEqual({ provider: expect.stringContaining("telegram") });
    expect((await formOn(path)).currency).toEqual(["BRL"]);
    await operator.post(path, { ...(await formOn(path)), currency: "XTR", price: "50", provider: "" });
    expect(await offerOf(before.id)).toMatchObject({ price_minor: 50, provider: "telegram" });
    expect((await lastAudit(own.db))?.before).toEqual({
      price_minor: 4_990,
      currency: "BRL",
      provider: "pushinpay",
    });
  });

  test("a page that was opened before somebody else's change does not undo it", async () => {
    const { id } = await makeOffer();
    const path = `/ops/offers/${id}`;
    const [mine, theirs] = [await formOn(path), await formOn(path)];
    const { enabled: _ticked, ...off } = theirs;
    await operator.post(path, { ...off, price: "39.90" });
    const answer = await operator.post(path, { ...mine, name: "Mine" });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(html).toContain("was changed since this page was opened");
    expect(html).toContain('value="Mine"');
    expect(await offerOf(id)).toMatchObject({ name: "Course", price_minor: 3_990, enabled: false });
  });

  test("only an offer that nobody saw is removed", async () => {
    const [fresh, seen] = [await makeOffer(), await makeOffer()];
    const { funnelStates } = own.db.tables;
    const step = { dedupKey: "x", state: "offer_viewed" as const, createdAt: new Date() };
    await own.db.transaction((tx) => tx.insert(funnelStates).values({ ...step, offerId: seen.id }));
    await operator.post(`/ops/offers/${seen.id}/remove`);
    expect(await see(`/ops/offers/${seen.id}`)).toContain("It was not removed");
    const answer = await operator.post(`/ops/offers/${fresh.id}/remove`);
    expect(answer.headers.get("location")).toBe(botPath);
    expect((await operator.get(`/ops/offers/${fresh.id}`)).status).toBe(404);
    expect(await lastAudit(own.db)).toMatchObject({ action: "offer.delete", subject: `offer:${fresh.id}` });
  });

  test("one that nobody can pay for is taken, and the pages say what is missing until it is off", async () => {
    const warned = "Nobody can pay: stripe is not set up on this server";
    const made = await makeOffer({ name: "Song", currency: "USD", provider: "stripe" });
    expect(await see(botPath)).toContain(warned);
    const path = `/ops/offers/${made.id}`;
    expect(await see(path)).toContain(warned);
    const lineInList = async () => (await see(botPath)).split(`href="${path}"`)[1]?.split("</tr>")[0];
    expect(await lineInList()).toContain("nobody can pay");
    await operator.post(path, { ...(await formOn(path)), provider: "telegram" });
    expect(await see(path)).toContain("Nobody can pay: @shop_bot has no payment token");
    await operator.post(path, { ...(await formOn(path)), currency: "XTR", price: "50" });
    expect(await see(path)).not.toContain("Nobody can pay");
    expect(await lineInList()).toContain("for sale");
    const { enabled: _, ...off } = await formOn(path);
    await operator.post(path, { ...off, currency: "USD", price: "50", provider: "stripe" });
    expect(await offerOf(made.id)).toMatchObject({ provider: "stripe", enabled: false });
    expect(await see(path)).not.toContain("Nobody can pay");
  });

  test("names are text, forged forms change nothing, and no address breaks the pages", async () => {
    const { bots } = await addPool(own.db, { slug: "evil" });
    const made = await createOffer(own.deps, "cli", {
      bot: "evil_bot",
      name: EVIL,
      description: `</textarea>${EVIL}`,
      delivery: `</textarea>${EVIL}`,
      price_minor: 1,
      currency: "BRL",
      provider: "stripe",
    });
    if (made.kind !== "created") throw new Error(made.kind);
    const path = `/ops/offers/${made.offer.id}`;
    for (const page of [path, `/ops/bots/${bots[0]?.id}`]) {
      const html = await see(page);
      expect(html).toContain("&lt;script");
      expect(inlineScripts(html)).toEqual([]);
    }
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    for (const action of [path, `${path}/remove`, `${botPath}/offers/new`]) {
      const forged = await own.request(action, {
        method: "POST",
        body: new URLSearchParams(course),
        headers: { cookie, origin: "http://bridge.example.com" },
      });
      expect(forged.status).toBe(403);
    }
    expect(await offerOf(made.offer.id)).toEqual(made.offer);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.double().map(String)), async (given) => {
        const text = encodeURIComponent(given.toWellFormed());
        expect((await operator.get(`/ops/offers/x${text}`)).status).toBe(404);
        expect((await operator.post(`/ops/offers/x${text}`, course)).status).toBe(404);
        expect((await operator.post(`/ops/offers/x${text}/remove`)).status).toBe(404);
      }),
      { numRuns: 15 },
    );
  });
});
