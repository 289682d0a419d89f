import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { permittedEvent, readConsent } from "../../src/meta/consent.ts";
import { purchaseEvent } from "../../src/meta/purchase.ts";
import { readUnreportedSales } from "../../src/overview/unreported-sales.ts";
import type { Payment } from "../../src/payments/payment.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { sha256Hex } from "../../src/platform/digests.ts";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { erasePerson } from "../../src/privacy/erase.ts";
import { payment, sellingBot, session } from "../meta/builders.ts";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel, PIXEL } from "../support/funnel.ts";
import { newUser } from "../support/telegram-updates.ts";
import { click, post, reachedMeta, report, reportEveryStep, startAndBuy } from "./journey.ts";

const FBP = "fb.1.1700000000000.987654321";

async function metaRows(funnel: Funnel, token: string) {
  const { outbox } = funnel.db.tables;
  const rows = await funnel.db.select().from(outbox).where(eq(outbox.trackingToken, token));
  return rows.filter(({ destination }) => destination === "meta");
}

const beacon = (funnel: Funnel, token: string) =>
  post(funnel, "/api/tracking/cookies", { tracking_token: token, _fbp: FBP, _fbi: "177.45.10.9" });

const payFor = (funnel: Funnel, sale: Payment) =>
  report(funnel, {
    provider_ref: sale.id,
    status: "paid",
    amount_minor: sale.amountMinor,
    currency: sale.currency,
  });

/** The same token, of half a year earlier. */
const longAgo = (token: string) => firstIdAt(Date.now() - 182 * 86_400_000).slice(0, 12) + token.slice(12);

/** Click, cookies, bot, checkout, payment, and whatever that lets go. */
async function wholeWay(funnel: Funnel, query: string) {
  const visit = await click(funnel, query);
  await beacon(funnel, visit.token);
  const offer = await funnel.addOffer({ provider: "generic" });
  const { user, payment: sale } = await startAndBuy(funnel, visit.token, offer.id);
  expect((await payFor(funnel, sale)).status).toBe(200);
  await funnel.dispatcher.drain();
  return { ...visit, user, sale };
}

describe(`consent=denied, with the setting as it comes, on ${testDialect}`, () => {
  let funnel: Funnel;
  beforeAll(async () => {
    funnel = await openFunnel();
    await reportEveryStep(funnel);
  });
  afterAll(() => funnel.dispose());

  test("the visitor goes straight to the bot: no page that loads a pixel, no cookie", async () => {
    const { response, token } = await click(funnel, "fbclid=AbCdEf&consent=denied");
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe(`https://t.me/shop_bot?start=${token}`);
    expect(response.headers.getSetCookie()).toEqual([]);
    const { sessions } = funnel.db.tables;
    const [row] = await funnel.db.select().from(sessions).where(eq(sessions.trackingToken, token));
    expect(row).toMatchObject({ consent: "denied", pageviewSent: false, fbp: null });
  });

  test("the whole way is gone, what was bought is delivered, and Meta hears of none of it", async () => {
    const { token, user, sale } = await wholeWay(funnel, "fbclid=AbCdEf&consent=denied");
    const { payments } = funnel.db.tables;
    const [paid] = await funnel.db.select().from(payments).where(eq(payments.id, sale.id));
    expect(paid).toMatchObject({ status: "paid", metaPurchaseSent: false });
    expect(funnel.chat(user.id).at(-1)?.params.text).toContain("https://example.com/course");
    expect(await metaRows(funnel, token)).toEqual([]);
    expect(reachedMeta(funnel, token)).toEqual([]);
    expect(reachedMeta(funnel, sale.id)).toEqual([]);
  });

  test("nor of a payment that the operator's own shop registers with the visitor's e-mail address", async () => {
    const { token } = await click(funnel, "consent=denied");
    const body = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
    const customer = { email: "ana@example.com" };
    const made = await post(funnel, "/api/payments", { ...body, tracking_token: token, customer });
    expect(made.status).toBe(201);
    const paid = await report(funnel, { provider_ref: body.provider_ref, status: "paid" });
    expect(paid.status).toBe(200);
    await funnel.dispatcher.drain();
    expect(await metaRows(funnel, token)).toEqual([]);
    expect(reachedMeta(funnel, body.provider_ref)).toEqual([]);
  });

  test("nor of what they do in another bot, until they come by a link that says nothing of it", async () => {
    const { id } = newUser();
    const customer = { email: "ana@example.com" };
    const buysAtOther = async () => {
      const body = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
      const whose = { bot: "other_bot", telegram_user_id: id, customer };
      expect((await post(funnel, "/api/payments", { ...body, ...whose })).status).toBe(201);
      expect((await report(funnel, { provider_ref: body.provider_ref, status: "paid" })).status).toBe(200);
      await funnel.dispatcher.drain();
    };
    const start = (bot: string, token?: string) =>
      post(funnel, "/api/bot/start", { bot, telegram_user_id: id, tracking_token: token });
    await start("shop_bot", (await click(funnel, "fbclid=AbCdEf&consent=denied")).token);
    await start("other_bot");
    await buysAtOther();
    expect(reachedMeta(funnel, sha256Hex(String(id)))).toEqual([]);

    await start("shop_bot", (await click(funnel, "fbclid=AbCdEf")).token);
    await buysAtOther();
    expect(reachedMeta(funnel, sha256Hex(String(id))).map(({ event_name }) => event_name)).toContain(
      "Purchase",
    );
  });

  test("nor of what they do later in a bot that they came to earlier, by a link that said nothing of it", async () => {
    const { id } = newUser();
    const start = (bot: string, token: string) =>
      post(funnel, "/api/bot/start", { bot, telegram_user_id: id, tracking_token: token });
    const steps = async (token: string) =>
      (await metaRows(funnel, token)).map(({ eventName }) => eventName).filter((name) => name !== "PageView");
    const known = (await click(funnel, "fbclid=AbCdEf")).token;
    await start("other_bot", known);
    const unused = (await click(funnel, "fbclid=AbCdEf")).token;
    await start("shop_bot", (await click(funnel, "fbclid=AbCdEf&consent=denied")).token);
    expect(await steps(known)).toEqual(["Lead"]);

    await start("other_bot", unused);
    const whose = { bot: "other_bot", telegram_user_id: id, customer: { email: "ana@example.com" } };
    for (const tracking_token of [undefined, known]) {
      const body = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
      const made = await post(funnel, "/api/payments", { ...body, ...whose, tracking_token });
      expect(made.status).toBe(201);
      expect((await report(funnel, { provider_ref: body.provider_ref, status: "paid" })).status).toBe(200);
    }
    expect([await steps(known), await steps(unused)]).toEqual([["Lead"], []]);
  });

  test("nor of what they paid meanwhile, when its webhook comes once more after a link that says nothing of it", async () => {
    const { id } = newUser();
    const start = (token: string) =>
      post(funnel, "/api/bot/start", { bot: "shop_bot", telegram_user_id: id, tracking_token: token });
    const known = (await click(funnel, "fbclid=AbCdEf")).token;
    await start(known);
    const body = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
    const whose = { bot: "shop_bot", telegram_user_id: id, tracking_token: known };
    expect((await post(funnel, "/api/payments", { ...body, ...whose })).status).toBe(201);
    await start((await click(funnel, "fbclid=AbCdEf&consent=denied")).token);
    const pays = () => report(funnel, { provider_ref: body.provider_ref, status: "paid" });
    expect((await pays()).status).toBe(200);
    await start((await click(funnel, "fbclid=AbCdEf")).token);
    expect((await pays()).status).toBe(200);
    expect((await post(funnel, "/api/payments", { ...body, ...whose })).status).toBe(200);
    const rows = await metaRows(funnel, known);
    expect(rows.filter(({ eventName }) => eventName === "Purchase")).toEqual([]);
  });

  test("nor where only Redis knows of the visit, which still lies in some spool", async () => {
    const token = newId();
    const providerRef = newId();
    const known = {
      ...session({ trackingToken: token, consent: "denied" }),
      poolId: null,
      botId: null,
      database: null,
    };
    const received = await receiveReport(
      { ...funnel.deps.payments, trackingData: async () => known },
      {
        provider: "generic",
        providerRef,
        event: { kind: "paid" },
        registration: {
          provider: "generic",
          provider_ref: providerRef,
          amount_minor: 4990,
          currency: "BRL",
          tracking_token: token,
          bot: "shop_bot",
          telegram_user_id: "4815162342",
        },
      },
    );
    expect(received.kind).toBe("confirmed");
    const rows = await metaRows(funnel, token);
    expect(rows.filter(({ eventName }) => eventName === "Purchase")).toEqual([]);
  });

  test.each([
    ["has not come out of another machine's spool", async () => funnel.visit("consent=denied").trackingToken],
    [
      "was made long before anything that is kept",
      async () => longAgo(funnel.visit("consent=denied").trackingToken),
    ],
    ["was removed by retention", async () => (await click(funnel, "fbclid=AbCdEf&consent=denied")).token],
  ])("nor where the visit %s: its token says it", async (_, tokenOf) => {
    const token = await tokenOf();
    const offer = await funnel.addOffer({ provider: "generic" });
    const { user, payment: sale } = await startAndBuy(funnel, token, offer.id);
    const { sessions } = funnel.db.tables;
    await funnel.db.transaction((tx) => tx.delete(sessions).where(eq(sessions.trackingToken, token)));
    expect((await payFor(funnel, sale)).status).toBe(200);
    const again = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
    await post(funnel, "/api/payments", { ...again, bot: "shop_bot", telegram_user_id: user.id });
    expect((await report(funnel, { provider_ref: again.provider_ref, status: "paid" })).status).toBe(200);
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id).at(-1)?.params.text).toContain("https://example.com/course");
    expect(await metaRows(funnel, token)).toEqual([]);
    expect(reachedMeta(funnel, sha256Hex(String(user.id)))).toEqual([]);
  });

  test("everybody else is reported: PageView, Lead, InitiateCheckout, Purchase, none of them limited", async () => {
    const { token, response, html } = await wholeWay(funnel, "fbclid=AbCdEf&consent=granted");
    expect(response.status).toBe(200);
    expect(html).not.toContain("limited-data-use");
    const rows = await metaRows(funnel, token);
    expect(rows.map(({ eventName, status }) => `${eventName} ${status}`).sort()).toEqual([
      "InitiateCheckout delivered",
      "Lead delivered",
      "PageView delivered",
      "Purchase delivered",
    ]);
    expect(JSON.stringify(rows)).not.toContain("data_processing_options");
  });
});

describe(`consent=denied with CONSENT_DENIED=ldu on ${testDialect}`, () => {
  let funnel: Funnel;
  beforeAll(async () => {
    funnel = await openFunnel({ CONSENT_DENIED: "ldu", PAGEVIEW_HOLD_MS: "600000" });
    await reportEveryStep(funnel);
  });
  afterAll(() => funnel.dispose());

  test("the page's pixel is limited, and UTMify, which knows no such thing, does not load", async () => {
    const { response, html } = await click(funnel, "fbclid=AbCdEf&consent=denied");
    expect(response.status).toBe(200);
    expect(html).toContain('data-limited-data-use="yes"');
    expect(html).toContain("&dpo=LDU&dpoco=0&dpost=0");
    expect(html).not.toContain("utmify");
    expect((await click(funnel, "fbclid=AbCdEf")).html).toContain("utmify");
  });

  test.each([
    ["denied", true],
    ["granted", false],
  ])(
    "the PageView of who said %s and whose browser reports no cookies says the same",
    async (said, isLimited) => {
      const { token } = await click(funnel, `fbclid=AbCdEf&consent=${said}`);
      const payloads = (await metaRows(funnel, token)).map(({ payload }) => payload);
      expect(payloads).toHaveLength(1);
      expect(JSON.stringify(payloads).includes('"data_processing_options":["LDU"]')).toBe(isLimited);
    },
  );

  test("every event says so, also the PageView that the browser's cookies wrote anew", async () => {
    const { token } = await wholeWay(funnel, "fbclid=AbCdEf&consent=denied");
    const rows = await metaRows(funnel, token);
    expect(rows.map(({ eventName }) => eventName).sort()).toEqual([
      "InitiateCheckout",
      "Lead",
      "PageView",
      "Purchase",
    ]);
    for (const { payload, status } of rows) {
      expect(status).toBe("delivered");
      expect(payload).toMatchObject({
        data_processing_options: ["LDU"],
        data_processing_options_country: 0,
        data_processing_options_state: 0,
      });
    }
    const pageView = rows.find(({ eventName }) => eventName === "PageView");
    expect(JSON.stringify(pageView?.payload)).toContain("177.45.10.9");
  });

  test("nothing is sent, nor counted as forgotten, of a sale whose visit was its first reader's, who was erased since", async () => {
    const { db, deps, pool } = funnel;
    const { pools, sessions } = db.tables;
    const setPixel = async (metaPixelId: string | null) => {
      await db.transaction((tx) => tx.update(pools).set({ metaPixelId }).where(eq(pools.id, pool.id)));
      // Not left to the next of the readings that come every second.
      await deps.pools.refresh();
    };
    const { token } = await click(funnel, "fbclid=AbCdEf&consent=denied");
    const buyer = newUser();
    for (const { id } of [newUser(), buyer]) {
      await post(funnel, "/api/bot/start", { bot: "shop_bot", telegram_user_id: id, tracking_token: token });
    }
    const body = { provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
    const whose = { bot: "shop_bot", telegram_user_id: buyer.id, tracking_token: token };
    await post(funnel, "/api/payments", { ...body, ...whose });
    const pays = () => report(funnel, { provider_ref: body.provider_ref, status: "paid" });
    const purchases = async () =>
      (await metaRows(funnel, token)).filter(({ eventName }) => eventName === "Purchase");
    const forgotten = async () =>
      (await readUnreportedSales(db, deps.config)).newest.map(({ providerRef }) => providerRef);
    await setPixel(null);
    expect((await pays()).status).toBe(200);
    await setPixel(PIXEL);
    expect(await forgotten()).toEqual([body.provider_ref]);

    await erasePerson(deps, { kind: "token", token }, { actor: "cli", dryRun: false });
    expect((await pays()).status).toBe(200);
    expect([await purchases(), await forgotten()]).toEqual([[], []]);
    await db.transaction((tx) => tx.delete(sessions).where(eq(sessions.trackingToken, token)));
    expect((await pays()).status).toBe(200);
    expect([await purchases(), await forgotten()]).toEqual([[], []]);
  });

  test("everybody else's events are not limited", async () => {
    const { token } = await wholeWay(funnel, "fbclid=AbCdEf");
    const rows = await metaRows(funnel, token);
    expect(rows.map(({ eventName }) => eventName).sort()).toEqual([
      "InitiateCheckout",
      "Lead",
      "PageView",
      "Purchase",
    ]);
    expect(JSON.stringify(rows)).not.toContain("data_processing_options");
  });
});

describe("what may be sent", () => {
  const event = purchaseEvent(payment(), session(), sellingBot(), new Date("2026-05-10T12:07:00Z"));
  const limited = expect.objectContaining({ data_processing_options: ["LDU"] });

  test.each([
    [null, "drop", event],
    [null, "ldu", event],
    ["granted", "drop", event],
    ["granted", "ldu", event],
    ["denied", "drop", null],
    ["denied", "ldu", limited],
    ["erased", "drop", null],
    ["erased", "ldu", null],
  ] as const)("consent %p with CONSENT_DENIED=%s", (consent, whenDenied, expected) => {
    expect(permittedEvent(event, consent, whenDenied)).toEqual(expected);
  });

  test("stored texts that are no consent say nothing", () => {
    expect(["granted", "denied", "erased", "", "yes", null, undefined].map(readConsent)).toEqual([
      "granted",
      "denied",
      "erased",
      null,
      null,
      null,
      null,
    ]);
  });
});
