import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { ensureDatabaseId } from "../../src/db/database-id.ts";
import type { Customer } from "../../src/meta/user-data.ts";
import { readUnreportedSales } from "../../src/overview/unreported-sales.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { sha256Hex } from "../../src/platform/digests.ts";
import { newId } from "../../src/platform/ids.ts";
import { erasePerson } from "../../src/privacy/erase.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import type { StoredVisit } from "../../src/tracking/tracking-store.ts";
import { testDialect } from "../support/database.ts";
import { API_KEY, type Funnel, GENERIC_SECRET, openFunnel, PIXEL } from "../support/funnel.ts";
import { genericWebhook } from "../support/generic-webhook.ts";
import { makeApiKey } from "../support/keys.ts";
import { addPool } from "../support/pools.ts";
import { buttonUpdate, newUser, paidUpdate, startUpdate } from "../support/telegram-updates.ts";
import { visitOf } from "../support/visits.ts";

const OTHER_PIXEL = "6666666666";

let funnel: Funnel;
let otherPool: { readonly id: number };
const redis = new Map<string, StoredVisit>();
beforeAll(async () => {
  funnel = await openFunnel(
    { PUBLIC_URL: "https://go.example.com" },
    { trackingData: async (token) => redis.get(token) ?? null },
  );
  const { pool } = await addPool(funnel.db, { slug: "other", metaPixelId: OTHER_PIXEL }, [
    { username: "third_bot" },
  ]);
  otherPool = pool;
});
afterAll(() => funnel.dispose());

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${funnel.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const sale = () => ({ provider: "generic", provider_ref: newId(), amount_minor: 4990, currency: "BRL" });
type Sale = ReturnType<typeof sale>;

const register = (body: object) => post("/api/payments", body);
const start = (telegramUserId: number, token: string) =>
  post("/api/bot/start", { bot: "shop_bot", telegram_user_id: telegramUserId, tracking_token: token });

const webhook = (body: object) =>
  post("/api/payments/webhooks/generic", body, genericWebhook(GENERIC_SECRET, body).headers);
const pays = ({ provider_ref }: Sale, more: object = {}) =>
  webhook({ provider_ref, status: "paid", ...more });

/** As by a provider whose webhook says nothing of the visit. */
const isConfirmed = ({ provider, provider_ref: providerRef }: Sale, buyer?: Customer) =>
  receiveReport(funnel.deps.payments, {
    provider,
    providerRef,
    event: { kind: "paid", buyer },
    registration: null,
  });

/** A visit that is accepted, and not in the database yet. */
const visitOfPool = (poolId = funnel.pool.id) => visitOf(poolId, 1, funnel.shop.id, "fbclid=AbCd");
const refusingVisit = () => visitOf(funnel.pool.id, 1, funnel.shop.id, "consent=denied");

async function isListedAsUnreported({ provider_ref }: Sale): Promise<boolean> {
  const { newest } = await readUnreportedSales(funnel.db, funnel.deps.config);
  return newest.some(({ providerRef }) => providerRef === provider_ref);
}

/** It comes in, out of the spool. */
async function bringIn(visit: VisitRecord) {
  funnel.deps.spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
  await funnel.deps.recorder.replay();
  return visit.trackingToken;
}

async function stored({ provider_ref }: Sale) {
  const { payments, outbox, funnelStates } = funnel.db.tables;
  const [payment] = await funnel.db.select().from(payments).where(eq(payments.providerRef, provider_ref));
  const id = payment?.id ?? "";
  const events = await funnel.db.select().from(outbox).where(eq(outbox.paymentId, id));
  const states = await funnel.db
    .select()
    .from(funnelStates)
    .where(eq(funnelStates.paymentId, id))
    .orderBy(funnelStates.id);
  const purchases = events.filter(({ eventName }) => eventName === "Purchase");
  return { payment, purchases, purchase: purchases[0], states };
}

describe(`whose a payment is, on ${testDialect}`, () => {
  test("a payment of a visit is its visitor's: their id is the Purchase's, and the funnel knows them", async () => {
    const token = await bringIn(visitOfPool());
    const { id } = newUser();
    await start(id, token);
    const bought = { ...sale(), tracking_token: token };
    await register(bought);
    const registered = await stored(bought);
    expect(registered.payment?.botUserId).toBeGreaterThan(0);
    await pays(bought);
    const { purchase, states, payment } = await stored(bought);
    expect(purchase?.payload).toMatchObject({ user_data: { external_id: sha256Hex(String(id)) } });
    expect(states.map(({ botUserId }) => botUserId)).toEqual([
      payment?.botUserId ?? null,
      payment?.botUserId ?? null,
    ]);
  });

  test("the visitor who shows up after the registration is found at the confirmation", async () => {
    const token = await bringIn(visitOfPool());
    const bought = { ...sale(), tracking_token: token };
    await register(bought);
    expect((await stored(bought)).payment).toMatchObject({ botUserId: null, botId: funnel.shop.id });
    const { id } = newUser();
    await start(id, token);
    await pays(bought);
    const { purchase, payment, states } = await stored(bought);
    expect(payment?.botUserId).toBeGreaterThan(0);
    expect(states.every(({ botUserId }) => botUserId === payment?.botUserId)).toBe(true);
    expect(purchase?.payload).toMatchObject({ user_data: { external_id: sha256Hex(String(id)) } });
  });

  test("a webhook that leads to no pool registers nothing; one that does registers and confirms", async () => {
    const { provider_ref, amount_minor, currency } = sale();
    const body = { provider_ref, amount_minor, currency, status: "paid" };
    expect((await webhook(body)).status).toBe(404);
    // Older than any spool.
    const old = "0193f2a5c1d27e3f8a4b5c6d7e8f9012";
    expect((await webhook({ ...body, tracking_token: old })).status).toBe(404);
    const named = { bot: "nobody_bot", telegram_user_id: 1 };
    expect((await webhook({ ...body, ...named })).status).toBe(404);
    const done = await webhook({ ...body, tracking_token: await bringIn(visitOfPool()) });
    expect(done.body).toMatchObject({ status: "confirmed" });
  });

  test("a webhook that names the bot and the person, and no visit, registers and confirms for them", async () => {
    const bought = sale();
    const { provider_ref, amount_minor, currency } = bought;
    const { id } = newUser();
    const named = { bot: "shop_bot", telegram_user_id: id };
    const done = await webhook({ provider_ref, amount_minor, currency, status: "paid", ...named });
    expect(done.body).toMatchObject({ status: "confirmed" });
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ botId: funnel.shop.id, botUserId: expect.any(Number) });
    expect(purchases).toHaveLength(1);
  });

  test("a refund that comes first registers nothing by its amount, which may be a part's: the sale is reported as it was", async () => {
    const bought = sale();
    const { provider_ref, amount_minor, currency } = bought;
    const all = { provider_ref, currency, tracking_token: await bringIn(visitOfPool()) };
    const part = { ...all, status: "refunded", amount_minor: 1000 };
    expect((await webhook(part)).status).toBe(404);
    expect((await webhook({ ...all, status: "paid", amount_minor })).body).toMatchObject({
      status: "confirmed",
    });
    expect((await webhook(part)).body).toMatchObject({ status: "unchanged" });
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ status: "paid", amountMinor: amount_minor });
    expect(purchases).toHaveLength(1);
  });

  test("a webhook that names a bot which does not exist registers by its token all the same", async () => {
    const bought = sale();
    const { provider_ref, amount_minor, currency } = bought;
    const named = { bot: "nobody_bot", telegram_user_id: 1, tracking_token: await bringIn(visitOfPool()) };
    const done = await webhook({ provider_ref, amount_minor, currency, status: "paid", ...named });
    expect(done).toMatchObject({ status: 200, body: { status: "confirmed" } });
    expect((await stored(bought)).purchases).toHaveLength(1);
    const known = sale();
    await register(known);
    await pays(known, named);
    expect((await stored(known)).purchases).toHaveLength(1);
  });

  test("a webhook that is the first to name the visit brings it in where that still waits on this machine", async () => {
    const visit = visitOfPool();
    const { id } = newUser();
    const bought = sale();
    await register({ ...bought, bot: "shop_bot", telegram_user_id: id });
    funnel.deps.spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
    await pays(bought, { tracking_token: visit.trackingToken });
    const { purchases } = await stored(bought);
    expect(purchases).toHaveLength(1);
    expect(purchases[0]?.payload).toMatchObject({ user_data: { fbc: visit.fbc } });
  });

  test("a payment confirmed without a pool is reported when its registration says more", async () => {
    const bought = sale();
    await register(bought);
    await pays(bought);
    expect((await stored(bought)).payment).toMatchObject({ status: "paid", metaPurchaseSent: false });
    const token = await bringIn(visitOfPool());
    const again = { ...bought, tracking_token: token, customer: { email: "ana@example.com" } };
    expect(await register(again)).toMatchObject({ status: 200, body: { status: "paid" } });
    await register(again);
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ metaPurchaseSent: true, trackingToken: token });
    expect(purchases).toHaveLength(1);
    expect(purchases[0]).toMatchObject({ route: PIXEL, trackingToken: token });
    expect(purchases[0]?.payload).toMatchObject({
      user_data: { em: expect.anything(), fbc: expect.any(String) },
    });
  });

  test("a payment confirmed without a pool is reported when a copy of its webhook says more; none where money went back", async () => {
    const [bought, other] = [sale(), sale()];
    for (const each of [bought, other]) {
      await register(each);
      await pays(each);
    }
    const tracking_token = await bringIn(visitOfPool());
    for (let n = 0; n < 2; n++) {
      expect((await pays(bought, { tracking_token })).body).toMatchObject({ status: "unchanged" });
    }
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ metaPurchaseSent: true, poolId: funnel.pool.id });
    expect(purchases).toMatchObject([{ route: PIXEL, trackingToken: tracking_token }]);
    expect(purchases[0]?.payload).toMatchObject({ user_data: { fbc: expect.any(String) } });
    expect(await isListedAsUnreported(other)).toBe(true);
    expect((await stored(other)).states).toMatchObject([{ poolId: null }, { poolId: null }]);
    const returned = sale();
    await register(returned);
    await pays(returned);
    await webhook({ provider_ref: returned.provider_ref, status: "refunded", tracking_token });
    expect((await stored(returned)).purchases).toEqual([]);
  });

  test("a sale whose visit turns out to have refused is no longer one that nobody reported", async () => {
    const [bought, other] = [sale(), sale()];
    for (const each of [bought, other]) {
      await register(each);
      await pays(each);
    }
    expect(await isListedAsUnreported(bought)).toBe(true);
    const tracking_token = await bringIn(refusingVisit());
    for (let n = 0; n < 2; n++) await register({ ...bought, tracking_token });
    expect(await isListedAsUnreported(bought)).toBe(false);
    expect(await isListedAsUnreported(other)).toBe(true);
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ metaPurchaseSent: false, providerData: { consent: "denied" } });
    expect(purchases).toEqual([]);
  });

  test("a webhook that says so, and something for a person to look at, leaves word of both", async () => {
    const bought = sale();
    await register(bought);
    await pays(bought);
    const tracking_token = await bringIn(refusingVisit());
    await pays(bought, { tracking_token, amount_minor: 5990, currency: "BRL" });
    const notes = [expect.stringContaining("5990")];
    expect((await stored(bought)).payment?.providerData).toMatchObject({ consent: "denied", notes });
  });

  test("a sale by the token of a visit that was erased before is none that nobody reported", async () => {
    const tracking_token = await bringIn(visitOfPool());
    await erasePerson(
      funnel.deps,
      { kind: "token", token: tracking_token },
      { actor: "test", dryRun: false },
    );
    const bought = { ...sale(), tracking_token };
    await register(bought);
    await pays(bought);
    const { payment, purchases } = await stored(bought);
    expect(payment).toMatchObject({ status: "paid", erasedAt: null, poolId: funnel.pool.id });
    expect(purchases).toEqual([]);
    expect(await isListedAsUnreported(bought)).toBe(false);
  });

  test("a buyer is known by a visit that may still come, not by one that was erased or never will", async () => {
    const [erased, old, young] = [
      await bringIn(visitOfPool()),
      "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
      visitOfPool().trackingToken,
    ];
    await erasePerson(funnel.deps, { kind: "token", token: erased }, { actor: "test", dryRun: false });
    const { botUsers } = funnel.db.tables;
    for (const [tracking_token, kept] of [
      [erased, null],
      [old, null],
      [young, young],
    ] as const) {
      const { id } = newUser();
      await register({ ...sale(), bot: "shop_bot", telegram_user_id: id, tracking_token });
      const users = await funnel.db
        .select({ firstToken: botUsers.firstToken, latestToken: botUsers.latestToken })
        .from(botUsers)
        .where(eq(botUsers.telegramUserId, String(id)));
      expect(users).toEqual([{ firstToken: kept, latestToken: kept }]);
    }
  });

  test("what a confirming webhook says fills what the registration left out, and overwrites nothing", async () => {
    const bought = { ...sale(), customer: { first_name: "Ana" }, content: {} };
    await register(bought);
    const token = await bringIn(visitOfPool());
    const details = {
      tracking_token: token,
      customer: { id: "c-9", email: "ana@example.com", first_name: "Eva" },
      content: { ids: ["course-1"] },
    };
    await pays(bought, details);
    const { payment, purchase } = await stored(bought);
    expect(payment).toMatchObject({
      trackingToken: token,
      customerUserId: "c-9",
      content: { ids: ["course-1"] },
      customer: { em: sha256Hex("ana@example.com"), fn: sha256Hex("ana") },
    });
    expect(purchase).toMatchObject({ route: PIXEL });
    expect(purchase?.payload).toMatchObject({ custom_data: { content_ids: ["course-1"] } });
    const known = { ...sale(), tracking_token: await bringIn(visitOfPool()) };
    await register(known);
    await start(newUser().id, token);
    await pays(known, { tracking_token: token });
    // Nor is another visit's person its buyer.
    expect((await stored(known)).payment).toMatchObject({
      trackingToken: known.tracking_token,
      botUserId: null,
    });
  });

  test.each([
    { amount_minor: 5990, currency: "BRL" },
    { amount_minor: 4990, currency: "USD" },
  ])("registering again after %j was paid is the same payment, by what was registered", async (money) => {
    const bought = { ...sale(), tracking_token: await bringIn(visitOfPool()) };
    const first = await register(bought);
    await pays(bought, money);
    const paid = { status: "paid", amountMinor: money.amount_minor, currency: money.currency };
    expect((await stored(bought)).payment).toMatchObject(paid);
    const again = await register(bought);
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id, status: "paid" } });
    expect((await register({ ...bought, ...money })).status).toBe(409);
  });

  test("when the sale was made is the shop's word, but never ahead of now; its checkout counts as of now", async () => {
    const from = Date.now();
    const tracking_token = await bringIn(visitOfPool());
    const anHour = 3_600_000;
    const [earlier, ahead] = [new Date(from - anHour), new Date(from + anHour)];
    const saleOf = async (createdAt: Date, isRegistered: boolean) => {
      const bought = { ...sale(), tracking_token, created_at: createdAt.toISOString() };
      if (isRegistered) await register(bought);
      await pays(bought, bought);
      return stored(bought);
    };
    for (const isRegistered of [true, false]) {
      const { purchase, states } = await saleOf(earlier, isRegistered);
      expect(purchase?.payload).toMatchObject({ event_time: Math.floor(earlier.getTime() / 1000) });
      expect(states[0]?.createdAt.getTime()).toBeGreaterThanOrEqual(from);
      const early = await saleOf(ahead, isRegistered);
      expect(early.payment?.createdAt.getTime()).toBeWithin(from, ahead.getTime());
    }
  });

  test("whose a sale is, and what for, no webhook changes that says otherwise", async () => {
    const tracking_token = await bringIn(visitOfPool());
    const named = { bot: "shop_bot", telegram_user_id: newUser().id };
    const bought = { ...sale(), ...named, tracking_token };
    await register({ ...bought, customer: { id: "c-1" }, content: { ids: ["course-1"] } });
    const { botId = 0, botUserId = 0 } = (await stored(bought)).payment ?? {};
    const others = { bot: "third_bot", telegram_user_id: newUser().id };
    await pays(bought, { ...others, customer: { id: "c-2" }, content: { ids: ["course-2"] } });
    expect((await stored(bought)).payment).toMatchObject({
      botId,
      botUserId,
      customerUserId: "c-1",
      content: { ids: ["course-1"] },
    });
  });

  test("who buys is what was said at registration, before what the provider knows", async () => {
    const bought = { ...sale(), customer: { email: "ana@example.com" } };
    await register(bought);
    await isConfirmed(bought, { email: "eva@example.com", firstName: "Eva" });
    expect((await stored(bought)).payment?.customer).toEqual({
      em: sha256Hex("ana@example.com"),
      fn: sha256Hex("eva"),
    });
  });

  test("without a visit the pool's link is where the sale came from", async () => {
    const bought = { ...sale(), bot: "shop_bot", telegram_user_id: newUser().id };
    await register(bought);
    await pays(bought);
    expect((await stored(bought)).purchase?.payload).toMatchObject({
      event_source_url: "https://go.example.com/go/shop",
    });
  });

  test("without a visit it is the pool's of the bot that reports, not one that is first and does not", async () => {
    const bots = [{ username: "shared_bot" }];
    const off = { slug: "off", metaPixelId: PIXEL, metaTrackingEnabled: false };
    const {
      bots: [shared],
    } = await addPool(funnel.db, off, bots);
    const left = await addPool(funnel.db, { slug: "left", metaPixelId: "1111111111" });
    const sells = await addPool(funnel.db, { slug: "sells", metaPixelId: OTHER_PIXEL });
    const botId = shared?.id ?? 0;
    await funnel.db.transaction((tx) =>
      tx.insert(funnel.db.tables.poolBots).values([
        { poolId: left.pool.id, botId, enabled: false },
        { poolId: sells.pool.id, botId },
      ]),
    );
    const bought = { ...sale(), bot: "shared_bot", telegram_user_id: newUser().id };
    await register(bought);
    await pays(bought);
    expect((await stored(bought)).purchase).toMatchObject({ route: OTHER_PIXEL, poolId: sells.pool.id });
  });

  test("a bot that does not exist is said so, and nothing is registered", async () => {
    const bought = { ...sale(), bot: "nobody_bot", telegram_user_id: 77 };
    expect(await register(bought)).toMatchObject({ status: 422, body: { errors: [{ path: "bot" }] } });
    expect((await stored(bought)).payment).toBeUndefined();
    const known = sale();
    const { body } = await register(known);
    const again = await register({ ...known, bot: "nobody_bot", telegram_user_id: 77 });
    expect(again).toEqual({ status: 200, body });
  });
});

test(`only a key that may write registers a sale, or says who started a bot, on ${testDialect}`, async () => {
  const { deps, db } = funnel;
  const bought = sale();
  const started = { bot: "shop_bot", telegram_user_id: newUser().id };
  const [reader, writer] = [await makeApiKey(deps, "r", "read"), await makeApiKey(deps, "w", "write")];
  const answersTo = async (authorization: string) => {
    const paid = await post("/api/payments", bought, { authorization });
    const start = await post("/api/bot/start", started, { authorization });
    return [paid.status, start.status];
  };
  const before = await db.$count(db.tables.botUsers);
  expect(await answersTo("")).toEqual([401, 401]);
  expect(await answersTo("Bearer not-the-key")).toEqual([401, 401]);
  expect(await answersTo(`Bearer ${reader.key}`)).toEqual([403, 403]);
  expect((await stored(bought)).payment).toBeUndefined();
  expect(await db.$count(db.tables.botUsers)).toBe(before);
  expect(await answersTo(`Bearer ${writer.key}`)).toEqual([201, 201]);
});

describe(`a visit that still lies in a spool, on ${testDialect}`, () => {
  test("what is paid meanwhile is reported when the visit comes into the database, once", async () => {
    const visit = visitOfPool();
    const bought = { ...sale(), tracking_token: visit.trackingToken };
    await register(bought);
    await pays(bought);
    expect((await stored(bought)).purchases).toEqual([]);
    await bringIn(visit);
    await bringIn(visit);
    const { payment, purchases } = await stored(bought);
    expect(purchases).toHaveLength(1);
    expect(purchases[0]?.payload).toMatchObject({ user_data: { fbc: expect.any(String) } });
    expect(payment).toMatchObject({
      metaPurchaseSent: true,
      metaPurchaseSentAt: expect.any(Date),
      poolId: funnel.pool.id,
      botId: funnel.shop.id,
    });
  });

  test("its steps in the funnel learn the pool, whether it was paid before the visit came or after", async () => {
    for (const isPaidBefore of [true, false]) {
      const visit = visitOfPool();
      const bought = { ...sale(), tracking_token: visit.trackingToken };
      await register(bought);
      if (isPaidBefore) await pays(bought);
      await bringIn(visit);
      await pays(bought);
      const { states } = await stored(bought);
      expect(states).toMatchObject([
        { state: "checkout_started", poolId: funnel.pool.id },
        { state: "paid", poolId: funnel.pool.id },
      ]);
    }
  });

  test("a webhook that registers and confirms for it is taken, and reported then", async () => {
    const visit = visitOfPool();
    const bought = { ...sale(), tracking_token: visit.trackingToken };
    const { amount_minor, currency, tracking_token } = bought;
    const done = await pays(bought, { amount_minor, currency, tracking_token });
    expect(done.body).toMatchObject({ status: "confirmed" });
    expect((await stored(bought)).purchases).toEqual([]);
    await bringIn(visit);
    expect((await stored(bought)).purchases).toHaveLength(1);
  });

  test("what was refunded meanwhile is not", async () => {
    const visit = visitOfPool();
    const bought = { ...sale(), tracking_token: visit.trackingToken };
    await register(bought);
    await pays(bought);
    await webhook({ provider_ref: bought.provider_ref, status: "refunded" });
    await bringIn(visit);
    expect((await stored(bought)).purchases).toEqual([]);
  });

  test("Redis knows its pool: it is reported at once, with the visit's data", async () => {
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    const bought = { ...sale(), tracking_token: token };
    await register(bought);
    await pays(bought);
    const { purchase } = await stored(bought);
    expect(purchase).toMatchObject({ route: OTHER_PIXEL, poolId: otherPool.id });
    expect(purchase?.payload).toMatchObject({ user_data: { fbc: "fb.1.1740830400000.AbCd" } });
  });

  test("of a visit that Redis has from another database, which this one took the place of, nothing is taken over", async () => {
    const [own, others] = [newId(), newId()];
    redis.set(own, copyOf(own, otherPool.id, await ensureDatabaseId(funnel.db)));
    redis.set(others, copyOf(others, otherPool.id, crypto.randomUUID()));
    const purchaseBy = async (token: string) => {
      const bought = { ...sale(), tracking_token: token };
      await register(bought);
      await pays(bought);
      return (await stored(bought)).purchases.map(({ route }) => route);
    };
    expect(await purchaseBy(own)).toEqual([OTHER_PIXEL]);
    expect(await purchaseBy(others)).toEqual([]);
  });

  test("a pool that Redis knew when it was registered stays its pool, though Redis is flushed before it is paid", async () => {
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    const bought = { ...sale(), tracking_token: token };
    await register(bought);
    redis.clear();
    await pays(bought);
    expect((await stored(bought)).purchase).toMatchObject({ route: OTHER_PIXEL, poolId: otherPool.id });
  });

  test.each([
    ["a copy of its webhook", pays],
    ["its registration, again", (bought: Sale, more: object) => register({ ...bought, ...more })],
  ])("what was paid without a pool is reported when %s names a visit that Redis knows", async (_, name) => {
    const bought = sale();
    await register(bought);
    await pays(bought);
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    await name(bought, { tracking_token: token });
    const { purchases } = await stored(bought);
    expect(purchases).toMatchObject([{ route: OTHER_PIXEL, trackingToken: token }]);
    expect(purchases[0]?.payload).toMatchObject({ user_data: { fbc: "fb.1.1740830400000.AbCd" } });
  });

  test("whoever came by a visit after the sale was registered for them: Redis is asked for that visit", async () => {
    const { id } = newUser();
    const bought = { ...sale(), bot: "shop_bot", telegram_user_id: id };
    await register(bought);
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    await start(id, token);
    await isConfirmed(bought);
    expect((await stored(bought)).purchase).toMatchObject({ route: OTHER_PIXEL, trackingToken: token });
  });

  test("money that Telegram takes for the sale of a visit that only Redis has goes to that visit's pixel", async () => {
    const { db, shop } = funnel;
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    const user = newUser();
    await funnel.post(shop.id, startUpdate(user, token));
    const offer = await funnel.addOffer({ provider: "telegram", currency: "XTR", priceMinor: 50 });
    await funnel.post(shop.id, buttonUpdate(user, `buy:${offer.id}`));
    const { payments } = db.tables;
    const [sold] = await db.select().from(payments).where(eq(payments.offerId, offer.id));
    await funnel.post(shop.id, paidUpdate(user, sold?.id ?? "", 50, "XTR"));
    const { purchases } = await stored({ ...sale(), provider_ref: sold?.providerRef ?? "" });
    expect(purchases).toMatchObject([{ route: OTHER_PIXEL, trackingToken: token }]);
    expect(purchases[0]?.payload).toMatchObject({ user_data: { fbc: "fb.1.1740830400000.AbCd" } });
  });

  test("a sale by bot and person goes by the person's latest token in that bot, which Redis is asked for", async () => {
    const token = newId();
    redis.set(token, copyOf(token, otherPool.id));
    const { id } = newUser();
    const { username } = funnel.other;
    await post("/api/bot/start", { bot: username, telegram_user_id: id, tracking_token: newId() });
    await start(id, token);
    const bought = { ...sale(), bot: "shop_bot", telegram_user_id: id };
    await register(bought);
    expect((await stored(bought)).payment).toMatchObject({ trackingToken: token, poolId: otherPool.id });
    await pays(bought);
    const { purchase } = await stored(bought);
    expect(purchase).toMatchObject({ route: OTHER_PIXEL, trackingToken: token });
    expect(purchase?.payload).toMatchObject({ user_data: { fbc: "fb.1.1740830400000.AbCd" } });
  });

  test("the visit's own pool goes before the bot's, once the visit is there", async () => {
    const visit = visitOfPool(otherPool.id);
    const { id } = newUser();
    await start(id, visit.trackingToken);
    const bought = { ...sale(), bot: "shop_bot", telegram_user_id: id, tracking_token: visit.trackingToken };
    await register(bought);
    expect((await stored(bought)).payment?.poolId).toBe(funnel.pool.id);
    await bringIn(visit);
    const pending = await stored(bought);
    expect(pending.payment).toMatchObject({ status: "pending", poolId: otherPool.id });
    expect(pending.states).toMatchObject([{ state: "checkout_started", poolId: otherPool.id }]);
    await pays(bought);
    const { payment, purchase } = await stored(bought);
    expect(purchase).toMatchObject({ route: OTHER_PIXEL });
    expect(payment?.poolId).toBe(otherPool.id);
  });

  test("the pool that only its buyer's bot tells when it is paid is its checkout's in the funnel, too", async () => {
    const visit = visitOfPool();
    const bought = { ...sale(), tracking_token: visit.trackingToken };
    await register(bought);
    await start(newUser().id, visit.trackingToken);
    await isConfirmed(bought);
    const { payment, states } = await stored(bought);
    expect(payment?.botUserId).toBeGreaterThan(0);
    const step = { poolId: funnel.pool.id, botId: funnel.shop.id, botUserId: payment?.botUserId ?? 0 };
    expect(states).toMatchObject([
      { state: "checkout_started", ...step },
      { state: "paid", ...step },
    ]);
  });

  test("a pending payment that was registered by bot alone learns the visit's pool when it is registered again", async () => {
    const bought = { ...sale(), bot: "shop_bot", telegram_user_id: newUser().id };
    await register(bought);
    expect((await stored(bought)).payment?.poolId).toBe(funnel.pool.id);
    const tracking_token = await bringIn(visitOfPool(otherPool.id));
    await register({ ...bought, tracking_token });
    const { payment, states } = await stored(bought);
    expect(payment).toMatchObject({ status: "pending", poolId: otherPool.id, trackingToken: tracking_token });
    const step = { state: "checkout_started", poolId: otherPool.id, trackingToken: tracking_token };
    expect(states).toMatchObject([step]);
  });
});

describe(`whatever comes first, on ${testDialect}`, () => {
  const HAPPENINGS = ["registered", "named", "started", "visit", "paid", "all in one", "expired"] as const;

  test("in any order, or all at once, it ends with one Purchase, and in one pool everywhere", async () => {
    const order = fc.shuffledSubarray([...HAPPENINGS]);
    const property = fc.asyncProperty(order, fc.boolean(), async (happenings, isAtOnce) => {
      const visit = visitOfPool(otherPool.id);
      const { id } = newUser();
      const bought = { ...sale(), bot: "shop_bot", telegram_user_id: id };
      const { provider_ref, amount_minor, currency } = bought;
      const tracking_token = visit.trackingToken;
      const happen: Record<(typeof HAPPENINGS)[number], () => Promise<unknown>> = {
        registered: () => register(bought),
        named: () => register({ ...bought, tracking_token }),
        started: () => start(id, tracking_token),
        visit: () => bringIn(visit),
        paid: () => pays(bought),
        "all in one": () => pays(bought, { amount_minor, currency, tracking_token }),
        expired: () => webhook({ provider_ref, status: "expired" }),
      };
      if (isAtOnce) await Promise.all(happenings.map((happening) => happen[happening]()));
      else for (const happening of happenings) await happen[happening]();
      // What was not taken is sent again.
      for (const happening of ["named", "visit", "paid"] as const) await happen[happening]();
      const { payment, purchases, states } = await stored(bought);
      expect(payment).toMatchObject({ status: "paid", metaPurchaseSent: true });
      expect(purchases).toHaveLength(1);
      const pools = new Set([...purchases, ...states].map(({ poolId }) => poolId));
      expect(pools).toEqual(new Set([payment?.poolId ?? null]));
    });
    await fc.assert(property, { numRuns: 25, endOnFailure: true });
  });
});

function copyOf(trackingToken: string, poolId: number, database: string | null = null): StoredVisit {
  return {
    trackingToken,
    rootEventId: `evt_${trackingToken}`,
    fbclid: "AbCd",
    fbc: "fb.1.1740830400000.AbCd",
    fbp: null,
    clientIp: null,
    userAgent: "Mozilla/5.0",
    eventSourceUrl: "https://go.example.com/go/other?fbclid=AbCd",
    utm: {},
    pageviewAt: new Date(),
    consent: null,
    poolId,
    botId: funnel.shop.id,
    database,
  };
}
