import { Database as SqliteClient } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { and, eq, inArray, or, sql } from "drizzle-orm";
import { recordCookies } from "../../src/cookies/record-cookies.ts";
import type { Database } from "../../src/db/database.ts";
import { claim } from "../../src/outbox/lease.ts";
import { carriedRow } from "../../src/outbox/outbox-rows.ts";
import { countReplay, replay } from "../../src/outbox/replay.ts";
import { settle } from "../../src/outbox/settle.ts";
import { lockById } from "../../src/payments/find-payment.ts";
import { receiveReport } from "../../src/payments/receive-report.ts";
import { reportPurchasesOf } from "../../src/payments/report-purchase.ts";
import { newId } from "../../src/platform/ids.ts";
import { erasePerson } from "../../src/privacy/erase.ts";
import type { PersonKey } from "../../src/privacy/person.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { decodeVisit, encodeVisit } from "../../src/redirect/visit-json.ts";
import { sha256 } from "../meta/builders.ts";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel, PIXEL } from "../support/funnel.ts";
import { buttonUpdate, newUser, startUpdate, type TestUser } from "../support/telegram-updates.ts";
import { untilHeldUp } from "../support/until-held-up.ts";
import { click, post, reachedMeta, report, reportEveryStep } from "./journey.ts";
import { dump, tracesOf } from "./traces.ts";

let funnel: Funnel;
let offerId: number;
beforeAll(async () => {
  funnel = await openFunnel();
  await reportEveryStep(funnel);
  ({ id: offerId } = await funnel.addOffer({ provider: "generic" }));
});
afterAll(() => funnel.dispose());

const by = { actor: "test", dryRun: false };
const erase = (key: PersonKey, options = by) => erasePerson(funnel.deps, key, options);
const customer = (id: string | number): PersonKey => ({ kind: "customer", customer: String(id) });

/** Somebody with a name, an address and a click of their own, and the words by which they would be found. */
async function person() {
  const mark = newId().slice(-10);
  const user = newUser({
    id: 5_000_000_000 + Number.parseInt(mark.slice(0, 7), 16),
    first_name: `Ana-${mark}`,
    username: `ana_${mark}`,
  });
  const fbclid = `IwAR${mark}Click`;
  const address = `2001:db8:${mark.slice(0, 4)}:${mark.slice(4, 8)}::1`;
  const known = {
    fbclid,
    fbp: `fb.1.1700000000000.${Number.parseInt(mark, 16)}`,
    address,
    userAgent: `Phone/${mark}`,
    referrer: `https://ads.example.com/${mark}`,
    adId: `ad-${mark}`,
    telegramUser: String(user.id),
    firstName: user.first_name,
    username: `ana_${mark}`,
    externalId: await sha256(fbclid),
    buyerId: await sha256(String(user.id)),
    email: `ana-${mark}@example.com`,
    emailDigest: await sha256(`ana-${mark}@example.com`),
    shopCustomer: `customer-${mark}`,
    shopCustomerDigest: await sha256(`customer-${mark}`),
  };
  return { user, known };
}
type Somebody = Awaited<ReturnType<typeof person>>;

/** Visits, starts, looks, and taps on buy. Nothing is sent yet. */
async function comeAndBuy({ user, known }: Somebody) {
  const { token } = await click(funnel, `fbclid=${known.fbclid}&utm_campaign=summer&ad=${known.adId}`, {
    "user-agent": known.userAgent,
    referer: known.referrer,
  });
  await post(funnel, "/api/tracking/cookies", {
    tracking_token: token,
    _fbp: known.fbp,
    _fbi: known.address,
  });
  return { token, sale: await buyInBot(user, token) };
}

/** Starts, looks, and taps on buy; without a token, as somebody who came without an ad. */
async function buyInBot(user: TestUser, token?: string) {
  await funnel.post(funnel.shop.id, startUpdate(user, token));
  await funnel.post(funnel.shop.id, buttonUpdate(user, `offer:${offerId}`));
  await funnel.post(funnel.shop.id, buttonUpdate(user, `buy:${offerId}`));
  return saleOf(user);
}

async function saleOf(user: TestUser) {
  const { payments, botUsers } = funnel.db.tables;
  const [row] = await funnel.db
    .select({ payment: payments })
    .from(payments)
    .innerJoin(botUsers, eq(botUsers.id, payments.botUserId))
    .where(eq(botUsers.telegramUserId, String(user.id)));
  if (!row) throw new Error("nothing was sold");
  return row.payment;
}

const pay = (reference: string, customer?: object) =>
  report(funnel, { provider_ref: reference, status: "paid", amount_minor: 4990, currency: "BRL", customer });

/** The whole way, everything sent; and a second purchase in the operator's own shop. */
async function goAllTheWay(somebody: Somebody) {
  const { token, sale } = await comeAndBuy(somebody);
  await funnel.dispatcher.drain();
  expect((await pay(sale.id)).status).toBe(200);
  const { known } = somebody;
  const shopRef = newId();
  const made = await post(funnel, "/api/payments", {
    provider: "generic",
    provider_ref: shopRef,
    amount_minor: 700,
    currency: "BRL",
    tracking_token: token,
    customer: { id: known.shopCustomer, email: known.email, first_name: known.firstName },
  });
  const { id: shopPaymentId }: { id: string } = await made.json();
  expect((await report(funnel, { provider_ref: shopRef, status: "paid" })).status).toBe(200);
  await funnel.dispatcher.drain();
  return { token, sale, shopPaymentId };
}

async function paymentOf(id: string) {
  const { payments } = funnel.db.tables;
  const [row] = await funnel.db.select().from(payments).where(eq(payments.id, id));
  return row;
}

/** What operators and accountants count. */
async function books() {
  const { db } = funnel;
  const views = ["funnel_daily", "pool_performance"].map((view) =>
    sql.raw(`select * from ${view} order by 1, 2`),
  );
  const { payments } = db.tables;
  const money = await db
    .select({
      id: payments.id,
      ref: payments.providerRef,
      status: payments.status,
      amount: payments.amountMinor,
      currency: payments.currency,
      content: payments.content,
      paidAt: payments.paidAt,
      reported: payments.metaPurchaseSentAt,
    })
    .from(payments)
    .orderBy(payments.id);
  return JSON.stringify([...(await Promise.all(views.map((view) => db.rows(view)))), money]);
}

describe(`erasing a person on ${testDialect}`, () => {
  test("as a customer: no row of any table tells of them, everybody else's stays, and the books are the same", async () => {
    const bystander = await person();
    await goAllTheWay(bystander);
    const before = { books: await books(), others: await tracesOf(funnel.db, bystander.known) };
    const ana = await person();
    const { token } = await goAllTheWay(ana);
    const whole = await tracesOf(funnel.db, ana.known);
    for (const table of ["meta_tracking_sessions", "bot_users", "outbox", "payments"]) {
      expect(whole.join()).toContain(table);
    }
    const booksWithAna = await books();
    expect(booksWithAna).not.toBe(before.books);

    const erased = await erase(customer(ana.user.id));
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
    expect(erased).toMatchObject({ dry_run: false, sessions: 1, people: 1, payments: 2, unsent: 0 });
    expect(erased.outbox).toBe(10);
    expect(erased.copies).toBe(funnel.deps.redis ? 1 : 0);
    expect(await funnel.deps.trackingStore.find(token)).toBeNull();
    expect(await tracesOf(funnel.db, bystander.known)).toEqual(before.others);
    expect(await books()).toBe(booksWithAna);
  });

  test("of a visit and a person nothing stays but what is counted, whatever else there was", async () => {
    const { db } = funnel;
    const { sessions, botUsers } = db.tables;
    const { user } = await person();
    const { token } = await click(funnel, "fbclid=FullClick&grim=k7Qx2");
    await funnel.post(funnel.shop.id, startUpdate(user, token));
    const [theirVisit, theirRow] = [
      eq(sessions.trackingToken, token),
      eq(botUsers.telegramUserId, String(user.id)),
    ];
    await db.transaction(async (tx) => {
      await tx
        .update(sessions)
        .set({ params: { ad: "7" }, fbi: "2001:db8::1" })
        .where(theirVisit);
      await tx.update(botUsers).set({ languageCode: "pt", blockedAt: new Date() }).where(theirRow);
    });
    const filled = (row: object | undefined) =>
      Object.entries(row ?? {}).flatMap(([name, value]) => (value === null ? [] : [name]));
    const rows = async () => {
      const [visit] = await db.select().from(sessions).where(theirVisit);
      return { visit, names: filled(visit) };
    };
    expect((await rows()).names).toEqual(
      expect.arrayContaining(["grim", "params", "fbc", "fbcOrigin", "fbi", "clientIp", "userExternalId"]),
    );
    const [row] = await db.select().from(botUsers).where(theirRow);
    await erase(customer(user.id));
    const { visit, names } = await rows();
    expect(visit?.consent).toBe("erased");
    const counted = ["pageviewSent", "pageviewSentAt", "pageviewTs", "clickTs", "cookiesAt", "consent"];
    const ofRow = ["id", "createdAt", "updatedAt"];
    const keys = ["trackingToken", "rootEventId", "poolId", "botId"];
    expect([...ofRow, ...keys, ...counted]).toEqual(expect.arrayContaining(names));
    const [nameless] = await db
      .select()
      .from(botUsers)
      .where(eq(botUsers.id, row?.id ?? 0));
    expect(filled(nameless).sort()).toEqual([...ofRow, "botId", "telegramUserId"].sort());
    expect(nameless?.telegramUserId).toBe(`erased-${row?.id}`);
  });

  test("Telegram's answers to what was sent to them go too, which an older version kept whole; others' stay", async () => {
    const { db } = funnel;
    const { outbox, outboxAttempts } = db.tables;
    const [ana, bystander] = [await person(), await person()];
    for (const { user, known } of [ana, bystander]) {
      const { token } = await goAllTheWay({ user, known });
      const sent = and(eq(outbox.destination, "telegram"), eq(outbox.trackingToken, token));
      for (const row of await db.select().from(outbox).where(sent)) {
        const whole = { response: JSON.stringify({ result: { chat: { username: known.username } } }) };
        await db.transaction((tx) => tx.update(outboxAttempts).set(whole).where(carriedRow(db, row)));
      }
    }
    const whereIs = async ({ known: { username } }: Somebody) => tracesOf(db, { username });
    expect(await whereIs(ana)).toContain("outbox_attempts: username");
    expect((await erase(customer(ana.user.id))).answers).toBeGreaterThan(0);
    expect(await whereIs(ana)).toEqual([]);
    expect(await whereIs(bystander)).toContain("outbox_attempts: username");
    expect((await erase(customer(ana.user.id))).answers).toBe(0);
    // Meta's name nobody, and are of a thousand others, too.
    const ofMeta = and(eq(outboxAttempts.destination, "meta"), eq(outboxAttempts.response, "[erased]"));
    expect(await db.$count(outboxAttempts, ofMeta)).toBe(0);
  });

  test("who came more than twice is erased with every visit, also those that the bot no longer names", async () => {
    const { user, known } = await person();
    for (let visits = 0; visits < 4; visits++) {
      const { token } = await click(funnel, `fbclid=${known.fbclid}`, { "user-agent": known.userAgent });
      await funnel.post(funnel.shop.id, startUpdate(user, token));
    }
    expect(await erase(customer(user.id))).toMatchObject({ sessions: 4, people: 1 });
    expect(await tracesOf(funnel.db, known)).toEqual([]);
  });

  test("a visit that another machine brought in after its start goes too, whichever visits the bot names", async () => {
    const { db } = funnel;
    const { user, known } = await person();
    const start = (token: string) => funnel.post(funnel.shop.id, startUpdate(user, token));
    const come = async () => {
      const { token } = await click(funnel, `fbclid=${known.fbclid}`, { "user-agent": known.userAgent });
      await start(token);
    };
    await come();
    const late = { ...funnel.visit(`fbclid=${known.fbclid}Late`), userAgent: known.userAgent };
    await start(late.trackingToken);
    await db.transaction((tx) => recordVisits(tx, db.tables, [late]));
    await come();
    expect(await erase(customer(user.id))).toMatchObject({ sessions: 3, people: 1 });
    expect(await tracesOf(db, known)).toEqual([]);
    await funnel.dispatcher.drain();
    expect(reachedMeta(funnel, late.trackingToken)).toEqual([]);
  });

  test("a visit that comes in after its person's erasure is erased then, and nobody else's with it", async () => {
    const { db, deps } = funnel;
    const [ana, bia, caio] = [await person(), await person(), await person()];
    const lateOf = ({ known }: Somebody) => ({
      ...funnel.visit(`fbclid=${known.fbclid}`),
      userAgent: known.userAgent,
    });
    const [started, bought, stays] = [lateOf(ana), lateOf(bia), lateOf(caio)];
    for (const [{ user }, { trackingToken }] of [
      [ana, started],
      [caio, stays],
      // The link was passed on; the visit is still whose start came first.
      [ana, stays],
    ] as const) {
      await funnel.post(funnel.shop.id, startUpdate(user, trackingToken));
    }
    // She buys by it, too: that makes it no visit of hers.
    await funnel.post(funnel.shop.id, buttonUpdate(ana.user, `buy:${offerId}`));
    expect(await saleOf(ana.user)).toMatchObject({ trackingToken: stays.trackingToken });
    const sale = { provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
    await post(funnel, "/api/payments", {
      ...sale,
      provider: "generic",
      tracking_token: bought.trackingToken,
      customer: { id: bia.known.shopCustomer },
    });
    await report(funnel, { ...sale, status: "paid" });
    await erase(customer(ana.user.id));
    await erase(customer(bia.known.shopCustomer));
    // Copies that the machine which took the visits made since, which the erasures could not find.
    for (const { trackingToken } of [started, stays]) {
      await deps.redis?.hset(`ponte:tracking:${trackingToken}`, { tracking_token: trackingToken });
    }
    deps.spool.append(
      [started, bought, stays].map((visit) => ({ key: visit.trackingToken, body: encodeVisit(visit) })),
    );
    await deps.recorder.replay();
    expect(await tracesOf(db, ana.known)).toEqual([]);
    expect(await tracesOf(db, bia.known)).toEqual([]);
    expect(await deps.trackingStore.count([started.trackingToken])).toBe(0);
    if (deps.redis) expect(await deps.trackingStore.count([stays.trackingToken])).toBe(1);
    await funnel.dispatcher.drain();
    for (const { trackingToken } of [started, bought]) {
      expect(reachedMeta(funnel, trackingToken)).toEqual([]);
    }
    const { sessions } = db.tables;
    expect(
      await db.select().from(sessions).where(eq(sessions.trackingToken, stays.trackingToken)),
    ).toMatchObject([{ userExternalId: String(caio.user.id), fbclid: caio.known.fbclid }]);
  });

  test("who came again after their erasure keeps what they did since, though the old link's visit comes in only then", async () => {
    const { db, deps } = funnel;
    const { payments, outbox } = db.tables;
    const { user, known } = await person();
    const late = funnel.visit(`fbclid=${known.fbclid}`);
    const { token } = await click(funnel, "fbclid=AnotherClick");
    const shopSale = async (trackingToken: string) => {
      const sale = { provider_ref: newId(), amount_minor: 4990, currency: "BRL" };
      const customer = { id: known.shopCustomer };
      await post(funnel, "/api/payments", {
        ...sale,
        provider: "generic",
        tracking_token: trackingToken,
        customer,
      });
      await report(funnel, { ...sale, status: "paid" });
      return sale.provider_ref;
    };
    await buyInBot(user, late.trackingToken);
    await erase(customer(user.id));
    await shopSale(late.trackingToken);
    await erase(customer(known.shopCustomer));

    const inBot = await buyInBot(user, late.trackingToken);
    await pay(inBot.id);
    const references = [inBot.id, await shopSale(late.trackingToken), await shopSale(token)];
    const since = async () => ({
      sales: await db.select().from(payments).where(inArray(payments.providerRef, references)),
      events: await db
        .select({ eventId: outbox.eventId, status: outbox.status, payload: outbox.payload })
        .from(outbox)
        .where(or(eq(outbox.paymentId, inBot.id), eq(outbox.trackingToken, token)))
        .orderBy(outbox.id),
    });
    const before = await since();
    expect(before.events.map(({ status }) => status)).not.toContain("discarded");
    deps.spool.append([{ key: late.trackingToken, body: encodeVisit(late) }]);
    await deps.recorder.replay();
    expect(await tracesOf(db, { click: known.fbclid })).toEqual([]);
    expect(await since()).toEqual(before);
    await funnel.dispatcher.drain();
    expect(reachedMeta(funnel, `purchase_${inBot.id}`)).toHaveLength(1);
    expect(reachedMeta(funnel, `evt_${late.trackingToken}`)).toEqual([]);
  });

  test("what somebody does while they are being erased goes too", async () => {
    const ana = await person();
    await goAllTheWay(ana);
    let isHere = false;
    const busy: Database = {
      ...funnel.db,
      async transaction(work, durability) {
        if (!isHere) {
          isHere = true;
          await comeAndBuy(ana);
        }
        return funnel.db.transaction(work, durability);
      },
    };
    await erasePerson({ ...funnel.deps, db: busy }, customer(ana.user.id), by);
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
  });

  test("no log line ever said who it was: logs outlive every erasure", async () => {
    const ana = await person();
    const { token } = await goAllTheWay(ana);
    await erase({ kind: "token", token });
    const log = JSON.stringify(funnel.logLines);
    expect(log).toContain("[TELEGRAM RAW RESPONSE]");
    const said = Object.entries(ana.known).filter(([, value]) => log.includes(value));
    expect(said.map(([name]) => name)).toEqual([]);
  });

  test.if(testDialect === "sqlite")(
    "of SQLite's file no byte tells of them, once its log is folded in",
    async () => {
      const ana = await person();
      await goAllTheWay(ana);
      const path = funnel.deps.config.database.url;
      const seen = () => {
        const client = new SqliteClient(path);
        client.run("pragma wal_checkpoint(truncate)");
        client.close();
        const bytes = readFileSync(path, "latin1");
        return Object.entries(ana.known)
          .filter(([, value]) => bytes.includes(value))
          .map(([name]) => name);
      };
      expect(seen()).toContain("firstName");
      await erase(customer(ana.user.id));
      expect(seen()).toEqual([]);
    },
  );

  test("the audit log says that it was done, by whom and how much, and not to whom", async () => {
    const ana = await person();
    await goAllTheWay(ana);
    const { auditLog } = funnel.db.tables;
    await erase(customer(ana.user.id), { actor: "api:privacy desk", dryRun: false });
    const entries = await funnel.db.select().from(auditLog).where(eq(auditLog.actor, "api:privacy desk"));
    expect(entries).toHaveLength(1);
    expect(entries[0]).toMatchObject({
      action: "privacy.erase",
      subject: "customer",
      after: { sessions: 1, people: 1, payments: 2 },
    });
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
  });

  test.each(["token", "sale", "shopPaymentId", "shopCustomer"] as const)(
    "by %s the same person is found, with all that is theirs",
    async (by) => {
      const ana = await person();
      const { token, sale, shopPaymentId } = await goAllTheWay(ana);
      // Another visit, and another bot, which they came to without any.
      const { token: second } = await click(funnel, `fbclid=${ana.known.fbclid}Two`, {
        "user-agent": ana.known.userAgent,
      });
      await funnel.post(funnel.shop.id, startUpdate(ana.user, second));
      await funnel.post(funnel.other.id, startUpdate(ana.user));
      const keys: Record<typeof by, PersonKey> = {
        token: { kind: "token", token },
        sale: { kind: "payment", paymentId: sale.id },
        shopPaymentId: { kind: "payment", paymentId: shopPaymentId },
        shopCustomer: customer(ana.known.shopCustomer),
      };
      expect(await erase(keys[by])).toMatchObject({ sessions: 2, people: 2, payments: 2 });
      expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
    },
  );

  test("counted first, nothing changes, and the counts are those of the erasure", async () => {
    const ana = await person();
    const { token } = await goAllTheWay(ana);
    const before = await dump(funnel.db);
    const counted = await erase({ kind: "token", token }, { actor: "test", dryRun: true });
    expect(await dump(funnel.db)).toEqual(before);
    expect(await erase({ kind: "token", token })).toEqual({ ...counted, dry_run: false });
  });

  test("again, nothing is found and nothing is written, by whatever key", async () => {
    const ana = await person();
    const { token, sale } = await goAllTheWay(ana);
    await erase({ kind: "token", token });
    const after = await dump(funnel.db);
    const keys: PersonKey[] = [
      { kind: "token", token },
      { kind: "payment", paymentId: sale.id },
      customer(ana.user.id),
      customer(ana.known.shopCustomer),
    ];
    for (const key of keys) {
      const again = await erase(key);
      expect(Object.values(again).filter((value) => typeof value === "number" && value > 0)).toEqual([]);
    }
    expect(await dump(funnel.db)).toEqual(after);
  });

  test("what had not gone out never does, and what was paid for and not handed over is said", async () => {
    const ana = await person();
    const { token, sale } = await comeAndBuy(ana);
    expect((await pay(sale.id)).status).toBe(200);
    const erased = await erase(customer(ana.user.id));
    expect(erased).toMatchObject({ undelivered: 1 });
    expect(erased.unsent).toBe(erased.outbox);
    await funnel.dispatcher.drain();
    expect(reachedMeta(funnel, token)).toEqual([]);
    expect(reachedMeta(funnel, sale.id)).toEqual([]);
    expect(funnel.chat(ana.user.id)).toEqual([]);
    const { outbox } = funnel.db.tables;
    const rows = await funnel.db.select().from(outbox).where(eq(outbox.trackingToken, token));
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(["discarded"]));
    expect(rows[0]?.lastError).toContain("erased");
    expect(await replay(funnel.db, "retry", { ids: rows.map(({ id }) => id) })).toBe(0);
    expect(
      await countReplay(funnel.db, "retry", { filter: { trackingToken: token, status: "discarded" } }),
    ).toBe(0);
  });

  test("what is on its way at that moment is not tried again, however its request ends", async () => {
    const ana = await person();
    const { token } = await comeAndBuy(ana);
    const { db } = funnel;
    const leaseId = newId();
    const taken = await claim(db, leaseId, { destination: "meta", route: PIXEL, limit: 100 });
    const mine = taken.filter(({ trackingToken }) => trackingToken === token);
    expect(mine.length).toBeGreaterThan(0);
    await erase(customer(ana.user.id));
    const retry = { kind: "retry" as const, afterMs: () => 0, fbtraceId: null, reason: "no answer" };
    const settled = await db.transaction((tx) => settle(tx, db, leaseId, taken, retry));
    expect(settled).toHaveLength(taken.length - mine.length);
    await funnel.dispatcher.drain();
    expect(reachedMeta(funnel, token)).toEqual([]);
  });

  test("what turns out to have arrived at that moment stays delivered, without the person", async () => {
    const ana = await person();
    const { token } = await comeAndBuy(ana);
    const { db } = funnel;
    const { outbox, outboxProgress } = db.tables;
    const ofVisit = () =>
      db
        .select({ id: outbox.id, status: outbox.status })
        .from(outbox)
        .where(and(eq(outbox.trackingToken, token), eq(outbox.eventName, "PageView")));
    const [pageView] = await ofVisit();
    let erased: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      await tx
        .update(outboxProgress)
        .set({ status: "delivered", deliveredAt: new Date() })
        .where(eq(outboxProgress.id, pageView?.id ?? 0));
      erased = erase(customer(ana.user.id));
      await untilHeldUp(db, erased);
    });
    await erased;
    expect(await ofVisit()).toMatchObject([{ status: "delivered" }]);
    expect(await tracesOf(db, ana.known)).toEqual([]);
  });

  test.each([
    ["by an ad", async (ana: Somebody) => (await comeAndBuy(ana)).sale],
    ["without one", ({ user }: Somebody) => buyInBot(user)],
  ])(
    "a payment of who came %s, made afterwards, is booked, names nobody, reports nothing and leaves word",
    async (_, buy) => {
      const ana = await person();
      const sale = await buy(ana);
      await erase(customer(ana.user.id));
      const { auditLog } = funnel.db.tables;
      // The provider knows who paid, and says so twice.
      const email = "ana@example.com";
      const event = { kind: "paid" as const, buyer: { email } };
      const { provider, providerRef } = sale;
      await receiveReport(funnel.deps.payments, { provider, providerRef, event, registration: null });
      expect((await pay(sale.id, { email })).status).toBe(200);
      await funnel.dispatcher.drain();
      expect(await paymentOf(sale.id)).toMatchObject({
        status: "paid",
        amountMinor: 4990,
        metaPurchaseSent: false,
      });
      expect((await paymentOf(sale.id))?.customer).toEqual({});
      const notes = await funnel.db
        .select()
        .from(auditLog)
        .where(eq(auditLog.subject, `payment:${sale.id}`));
      expect(JSON.stringify(notes)).toContain("paid after the buyer's data was erased");
      expect(reachedMeta(funnel, sale.trackingToken ?? sale.id)).toEqual([]);
      expect(reachedMeta(funnel, sale.id)).toEqual([]);
      expect(funnel.chat(ana.user.id)).toEqual([]);
      expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
    },
  );

  test("a start and a registration that are merely told again bring nobody back, and are answered", async () => {
    const ana = await person();
    const { token } = await click(funnel, `fbclid=${ana.known.fbclid}`);
    const who = { bot: "shop_bot", telegram_user_id: ana.known.telegramUser };
    const start = { ...who, tracking_token: token, first_name: ana.known.firstName, update_id: 17 };
    const sale = {
      ...who,
      provider: "generic",
      provider_ref: newId(),
      amount_minor: 4990,
      currency: "BRL",
      customer: { email: ana.known.email },
    };
    const tell = async () => {
      const answers = [
        await post(funnel, "/api/bot/start", start),
        await post(funnel, "/api/payments", sale),
      ];
      return Promise.all(answers.map(async (answer) => [answer.status, await answer.json()] as const));
    };
    const [started, registered] = await tell();
    await erase(customer(ana.user.id));
    for (let i = 0; i < 2; i++) {
      const [startedAgain, registeredAgain] = await tell();
      expect(startedAgain).toEqual([
        200,
        { ...started?.[1], bot_user_id: null, tracking_token: null, first_token: null, session: null },
      ]);
      expect(registeredAgain).toEqual([200, registered?.[1]]);
    }
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
  });

  test.each([
    ["registration", (sale: object) => post(funnel, "/api/payments", { provider: "generic", ...sale })],
    ["webhook", (sale: object) => report(funnel, { status: "paid", ...sale })],
  ])("a %s that is told again in the midst of it brings nobody back, either", async (_, tell) => {
    const ana = await person();
    const sale = {
      bot: "shop_bot",
      telegram_user_id: ana.known.telegramUser,
      provider_ref: newId(),
      amount_minor: 4990,
      currency: "BRL",
      customer: { email: ana.known.email },
    };
    const { id }: { id: string } = await (
      await post(funnel, "/api/payments", { provider: "generic", ...sale })
    ).json();
    const answers: Promise<Response>[] = [];
    const db: Database = {
      ...funnel.db,
      transaction: (work) =>
        funnel.db.transaction(async (tx) => {
          const result = await work(tx);
          const { payments } = funnel.db.tables;
          const [row] = await tx.select().from(payments).where(eq(payments.id, id));
          if (row?.erasedAt && answers.length === 0) {
            answers.push(tell(sale));
            await untilHeldUp(funnel.db, Promise.all(answers));
          }
          return result;
        }),
    };
    await erasePerson({ ...funnel.deps, db }, { kind: "payment", paymentId: id }, by);
    const [answer] = await Promise.all(answers);
    expect(answer?.status).toBe(200);
    expect(await answer?.json()).toMatchObject({ id });
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
  });

  test("whatever writes of person and payment at that moment, neither of the two is thrown out", async () => {
    const ana = await person();
    const { sale } = await comeAndBuy(ana);
    const { db } = funnel;
    const { botUsers } = db.tables;
    let erased: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      await tx
        .update(botUsers)
        .set({ firstName: "Ana" })
        .where(eq(botUsers.id, sale.botUserId ?? 0));
      erased = erase({ kind: "payment", paymentId: sale.id });
      await untilHeldUp(db, erased);
      expect(await lockById(tx, db, sale.id)).toMatchObject({ erasedAt: null });
    });
    expect(await erased).toMatchObject({ people: 1, payments: 1 });
  });

  test("whoever writes of two of their visits at that moment, neither of the two is thrown out", async () => {
    const { user, known } = await person();
    const { db } = funnel;
    const { sessions } = db.tables;
    const visits = [funnel.visit(`fbclid=${known.fbclid}`), funnel.visit(`fbclid=${known.fbclid}`)];
    const tokens = visits.map(({ trackingToken }) => trackingToken).sort();
    // The rows are not in the order of the tokens, in which browsers' reports lock them.
    for (const token of tokens.toReversed()) {
      const visit = visits.filter(({ trackingToken }) => trackingToken === token);
      await db.transaction((tx) => recordVisits(tx, db.tables, visit));
      await funnel.post(funnel.shop.id, startUpdate(user, token));
    }
    const reports = tokens.map((trackingToken) => ({ trackingToken, report: { fbp: known.fbp } }));
    let both: Promise<unknown[]> = Promise.resolve([]);
    await db.transaction(async (tx) => {
      await tx
        .update(sessions)
        .set({ updatedAt: new Date() })
        .where(eq(sessions.trackingToken, tokens[0] ?? ""));
      const reported = db.transaction((other) => recordCookies(other, db, reports));
      await untilHeldUp(db, reported);
      const erased = erase(customer(user.id));
      await untilHeldUp(db, erased, 2);
      both = Promise.all([erased, reported]);
    });
    expect(await both).toMatchObject([{ sessions: 2, people: 1 }, true]);
    expect(await tracesOf(db, known)).toEqual([]);
  });

  test("payments whose visits come in late at that moment are erased all the same", async () => {
    const { known } = await person();
    const { db } = funnel;
    const { payments } = db.tables;
    const tokens = [newId(), newId()].sort();
    // The rows are not in the order of the tokens, in which late visits' purchases lock them.
    for (const token of tokens.toReversed()) {
      const sale = { provider: "generic", provider_ref: newId(), amount_minor: 100, currency: "BRL" };
      await post(funnel, "/api/payments", {
        ...sale,
        tracking_token: token,
        customer: { id: known.shopCustomer },
      });
    }
    let both: Promise<unknown[]> = Promise.resolve([]);
    await db.transaction(async (tx) => {
      await tx
        .update(payments)
        .set({ updatedAt: new Date() })
        .where(eq(payments.trackingToken, tokens[0] ?? ""));
      const named = db.transaction((other) => reportPurchasesOf(funnel.deps.payments, other, tokens));
      await untilHeldUp(db, named);
      const erased = erase(customer(known.shopCustomer));
      await untilHeldUp(db, erased, 2);
      both = Promise.all([erased, named]);
    });
    expect(await both).toMatchObject([{ payments: 2 }, undefined]);
    expect(await tracesOf(db, known)).toEqual([]);
  });

  /** A visit, and what it would be found by. */
  async function visit() {
    const ana = await person();
    const { fbclid, address, userAgent, referrer, externalId } = ana.known;
    const { token } = await click(funnel, `fbclid=${fbclid}`, { "user-agent": userAgent, referer: referrer });
    await post(funnel, "/api/tracking/cookies", { tracking_token: token, _fbi: address });
    return { ana, token, traces: { fbclid, address, userAgent, referrer, externalId } };
  }

  test("a start that has read of a visit, and not written yet, writes nothing of it once that is erased", async () => {
    const { ana, token, traces } = await visit();
    const { db } = funnel;
    const { botUsers, sessions } = db.tables;
    await funnel.post(funnel.shop.id, startUpdate(ana.user));
    let both: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      await tx
        .update(botUsers)
        .set({ firstName: "Ana" })
        .where(eq(botUsers.telegramUserId, ana.known.telegramUser));
      const started = funnel.post(funnel.shop.id, startUpdate(ana.user, token));
      await untilHeldUp(db, started);
      const erased = erase({ kind: "token", token });
      await untilHeldUp(db, erased, 2);
      both = Promise.all([started, erased]);
    });
    await both;
    expect(await tracesOf(db, traces)).toEqual([]);
    const [row] = await db.select().from(sessions).where(eq(sessions.trackingToken, token));
    expect(row).toMatchObject({ consent: "erased", userExternalId: null });
  });

  test("a payment that is being registered with a visit says nothing of it once that is erased", async () => {
    const { ana, token, traces } = await visit();
    const { db } = funnel;
    const sale = { provider: "generic", providerRef: newId(), amountMinor: 4990, currency: "BRL" };
    let both: Promise<unknown> = Promise.resolve();
    const other = db.transaction(async (tx) => {
      const now = new Date();
      await tx
        .insert(db.tables.payments)
        .values({ ...sale, id: newId(), status: "pending", customer: {}, createdAt: now, updatedAt: now });
      const registered = post(funnel, "/api/payments", {
        provider: sale.provider,
        provider_ref: sale.providerRef,
        amount_minor: sale.amountMinor,
        currency: sale.currency,
        tracking_token: token,
        customer: { email: ana.known.email },
      });
      await untilHeldUp(db, registered);
      const erased = erase({ kind: "token", token });
      await untilHeldUp(db, erased, 2);
      both = Promise.all([registered, erased]);
      throw new Error("came to nothing");
    });
    await expect(other).rejects.toThrow("came to nothing");
    await both;
    expect(await tracesOf(db, traces)).toEqual([]);
  });

  const phone = "+55 11 98765-4321";
  const register = async (extra: object = {}) => {
    const money = { amount_minor: 100, currency: "BRL" };
    const sale = { provider: "generic", provider_ref: newId(), ...money, ...extra };
    const { id }: { id: string } = await (await post(funnel, "/api/payments", sale)).json();
    return id;
  };
  const registerHashed = () => register({ customer: { id: phone } });
  async function registerUnhashed() {
    const id = await register();
    const { payments } = funnel.db.tables;
    await funnel.db.transaction((tx) =>
      tx.update(payments).set({ customerUserId: phone }).where(eq(payments.id, id)),
    );
    return id;
  }

  test("the shop's id of a customer, from before such ids were hashed, is the same customer's", async () => {
    const now = await registerHashed();
    const before = await registerUnhashed();
    expect(await erase({ kind: "payment", paymentId: before })).toMatchObject({ payments: 2 });
    expect(await paymentOf(now)).toMatchObject({ customerUserId: null, erasedAt: expect.any(Date) });
  });

  test("an id that reads as somebody's is found as it was given, hashed or from before", async () => {
    for (const how of [registerHashed, registerUnhashed]) {
      await how();
      expect(await erase(customer(phone))).toMatchObject({ payments: 1 });
    }
  });

  test.each([
    ["came to a bot by the visits of their payments", false],
    ["their payments say to be in a bot", true],
  ])("a customer of the shop is also whoever %s, under every account", async (_, isNamed) => {
    const [one, two] = [await person(), await person()];
    const id = one.known.shopCustomer;
    for (const { user, known } of [one, two]) {
      const { token } = await click(funnel, `fbclid=${known.fbclid}`, { "user-agent": known.userAgent });
      const who = { bot: "shop_bot", telegram_user_id: known.telegramUser };
      await register({ ...(isNamed ? who : { tracking_token: token }), customer: { id } });
      await funnel.post(funnel.shop.id, startUpdate(user, token));
      await funnel.post(funnel.other.id, startUpdate(user));
    }
    expect(await erase(customer(id))).toMatchObject({ payments: 2, sessions: 2, people: 4 });
    for (const { known } of [one, two]) expect(await tracesOf(funnel.db, known)).toEqual([]);
  });

  test("the page left open reports cookies to nobody, and whoever comes back by the old link is a stranger", async () => {
    const ana = await person();
    const { token } = await goAllTheWay(ana);
    await erase({ kind: "token", token });
    const late = { tracking_token: token, _fbp: ana.known.fbp, _fbi: ana.known.address };
    expect((await post(funnel, "/api/tracking/cookies", late)).status).toBe(204);
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
    await funnel.post(funnel.shop.id, startUpdate(ana.user, token));
    const { botUsers } = funnel.db.tables;
    const [again] = await funnel.db
      .select()
      .from(botUsers)
      .where(eq(botUsers.telegramUserId, String(ana.user.id)));
    expect(again).toMatchObject({ firstToken: null, latestToken: null });
    const sessionTraces = await tracesOf(funnel.db, { user: String(ana.user.id) });
    expect(sessionTraces).toEqual(["bot_users: user", "outbox_events: user"]);
  });

  test("a link that was passed on: the first reader is erased, the second keeps messages and purchase", async () => {
    const [ana, bia] = [await person(), await person()];
    const { token } = await comeAndBuy(ana);
    await funnel.post(funnel.shop.id, startUpdate(bia.user, token));
    await funnel.post(funnel.shop.id, buttonUpdate(bia.user, `buy:${offerId}`));
    const hers = await saleOf(bia.user);
    expect(await erase({ kind: "token", token })).toMatchObject({ people: 1, payments: 1 });
    expect(await tracesOf(funnel.db, ana.known)).toEqual([]);
    await funnel.dispatcher.drain();
    expect(
      funnel
        .chat(bia.user.id)
        .map(({ params }) => String(params.text))
        .join(),
    ).toContain(bia.user.first_name);
    expect(await paymentOf(hers.id)).toMatchObject({ erasedAt: null });
  });

  test("a link that was passed on: the second reader is erased, the visit stays the first one's", async () => {
    const [ana, bia] = [await person(), await person()];
    const { token } = await comeAndBuy(ana);
    await buyInBot(bia.user, token);
    const traces = await tracesOf(funnel.db, ana.known);
    await erase(customer(bia.user.id));
    expect(await tracesOf(funnel.db, bia.known)).toEqual([]);
    expect(await tracesOf(funnel.db, ana.known)).toEqual(traces);
    // Nor does it go when a stranger's visit comes in late, and it is looked whose erasure that one missed.
    const late = funnel.visit("fbclid=LateClick");
    funnel.deps.spool.append([{ key: late.trackingToken, body: encodeVisit(late) }]);
    await funnel.deps.recorder.replay();
    expect(await tracesOf(funnel.db, ana.known)).toEqual(traces);
  });

  test("an id that half the shop's customers share is followed only where it was asked for", async () => {
    const { token } = await click(funnel, "fbclid=SharedClick");
    const guest = `guest-${newId()}`;
    const register = (extra: object) =>
      post(funnel, "/api/payments", {
        provider: "generic",
        provider_ref: newId(),
        amount_minor: 100,
        currency: "BRL",
        customer: { id: guest },
        ...extra,
      });
    await register({ tracking_token: token });
    for (let n = 0; n < 100; n++) await register({});
    expect(await erase({ kind: "token", token })).toMatchObject({ payments: 1 });
    expect(await erase(customer(guest))).toMatchObject({ payments: 100 });
    // Of somebody else, who is only themselves, all is found, however much is sold beside them.
    const visits = [await click(funnel, "fbclid=OwnClick"), await click(funnel, "fbclid=OtherClick")];
    const own = { id: `customer-${newId()}` };
    for (const visit of visits) await register({ tracking_token: visit.token, customer: own });
    for (let n = 2; n < 100; n++) await register({ customer: own });
    expect(await erase({ kind: "token", token: visits[0]?.token ?? "" })).toMatchObject({
      payments: 100,
      sessions: 2,
    });
  }, 60_000);

  test("a visit that still lies in this machine's spool never reaches the database", async () => {
    const { deps } = funnel;
    const visit = funnel.visit("fbclid=SpooledClick");
    // Its own replay, once a second, would come in between.
    await deps.recorder.close();
    const other = funnel.visit("fbclid=OtherClick");
    deps.spool.append(
      [visit, other].map((record) => ({ key: record.trackingToken, body: encodeVisit(record) })),
    );
    const erased = await erase({ kind: "token", token: visit.trackingToken });
    expect(erased).toMatchObject({ spooled: 1, sessions: 0 });
    expect(deps.spool.oldest(10).map(({ body }) => decodeVisit(body).fbclid)).toEqual(["OtherClick"]);
    // As where a damaged spool that has it too is read later.
    deps.spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
    await deps.recorder.replay();
    expect(await tracesOf(funnel.db, { click: "SpooledClick" })).toEqual([]);
    expect(await tracesOf(funnel.db, { click: "OtherClick" })).not.toEqual([]);
  });

  test("one that is on its way from the spool into the database at that moment is erased there", async () => {
    const { db, deps, pool } = funnel;
    await deps.recorder.close();
    const visit = funnel.visit("fbclid=ReplayedClick");
    deps.spool.append([{ key: visit.trackingToken, body: encodeVisit(visit) }]);
    let both: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      const { pools } = db.tables;
      await tx.update(pools).set({ name: pool.name }).where(eq(pools.id, pool.id));
      const replayed = deps.recorder.replay();
      await untilHeldUp(db, replayed);
      const erased = erase({ kind: "token", token: visit.trackingToken });
      await untilHeldUp(db, erased, 2);
      both = Promise.all([replayed, erased]);
    });
    await both;
    expect(await tracesOf(db, { click: "ReplayedClick" })).toEqual([]);
    expect(deps.spool.count([visit.trackingToken])).toBe(0);
  });

  test("nobody is found by keys that are nobody's", async () => {
    const before = await dump(funnel.db);
    const keys: PersonKey[] = [
      { kind: "token", token: newId() },
      { kind: "payment", paymentId: newId() },
      customer("somebody else"),
      customer("%"),
    ];
    for (const key of keys) {
      const erased = await erase(key);
      expect(Object.values(erased).filter((value) => typeof value === "number" && value > 0)).toEqual([]);
    }
    expect(await dump(funnel.db)).toEqual(before);
  });

  test("cut off after any of its transactions, the same key finishes it", async () => {
    for (const key of ["customer", "shopCustomer", "token"] as const) {
      for (let dies = 1; ; dies++) {
        const ana = await person();
        const { token } = await goAllTheWay(ana);
        const keys = {
          token: { kind: "token" as const, token },
          customer: customer(ana.user.id),
          shopCustomer: customer(ana.known.shopCustomer),
        };
        const mortal = dyingIn(funnel.db, dies);
        const outcome = await erasePerson({ ...funnel.deps, db: mortal }, keys[key], by).then(
          () => "finished",
          () => "cut off",
        );
        if (outcome === "finished") break;
        await erase(keys[key]);
        expect(`${key} ${dies} ${await tracesOf(funnel.db, ana.known)}`).toBe(`${key} ${dies} `);
      }
    }
  }, 60_000);
});

/** The same database, whose n-th transaction from now is never committed. */
function dyingIn(db: Database, n: number): Database {
  let left = n;
  return {
    ...db,
    transaction: (work) =>
      --left === 0 ? Promise.reject(new Error("the process was killed")) : db.transaction(work),
  };
}
