import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { and, eq, inArray } from "drizzle-orm";
import { updateBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import { chatBackOffMs } from "../../src/funnel/chat-rate-limit.ts";
import { telegramDestination } from "../../src/funnel/telegram-destination.ts";
import { enqueue } from "../../src/outbox/enqueue.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { testDialect } from "../support/database.ts";
import { BOT_TOKEN, type Funnel, OTHER_TOKEN, openFunnel } from "../support/funnel.ts";
import { passTime } from "../support/outbox.ts";
import { startRedirecting } from "../support/redirecting.ts";
import { clearFaults } from "../support/sandbox.ts";
import {
  buttonUpdate,
  membershipUpdate,
  newUser,
  startUpdate,
  type TestUser,
} from "../support/telegram-updates.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());
afterEach(async () => {
  const { db, sandbox } = funnel;
  await clearFaults(sandbox, "telegram");
  await db.transaction((tx) => tx.delete(db.tables.outboxRoutes));
});

let counter = 0;
/** A message on its way to somebody; answers how to look it up. */
async function say(user: TestUser, text = "oi", eventName = "welcome", route = String(funnel.shop.id)) {
  const eventId = `test_${++counter}`;
  await funnel.db.transaction((tx) =>
    enqueue(tx, funnel.db.tables, [
      {
        destination: "telegram",
        route,
        eventName,
        eventId,
        payload: { method: "sendMessage", body: { chat_id: String(user.id), text, parse_mode: "HTML" } },
      },
    ]),
  );
  return async () => {
    const { outbox } = funnel.db.tables;
    const [row] = await funnel.db.select().from(outbox).where(eq(outbox.eventId, eventId));
    return row;
  };
}

/** Sends one message past the outbox. */
function send({ apiUrl, text, timeoutMs = 5_000 }: { apiUrl: string; text: string; timeoutMs?: number }) {
  const { db, deps, shop } = funnel;
  const sales = { checkoutOf: () => Promise.reject(new Error("not asked for")) };
  const adapter = telegramDestination({ db, secrets: deps.secrets, apiUrl, sales, timeoutMs });
  const row = {
    id: 1,
    eventName: "welcome",
    eventId: "one",
    payload: JSON.stringify({ method: "sendMessage", body: { chat_id: "5", text } }),
    attempts: 1,
    createdAtMs: Date.now(),
    claimedAtMs: Date.now(),
    poolId: null,
    trackingToken: null,
    paymentId: null,
  };
  return adapter.send(String(shop.id), [row], new AbortController().signal);
}

async function route(name = String(funnel.shop.id)) {
  const { outboxRoutes } = funnel.db.tables;
  const [found] = await funnel.db
    .select()
    .from(outboxRoutes)
    .where(and(eq(outboxRoutes.destination, "telegram"), eq(outboxRoutes.route, name)));
  return found;
}

async function person(user: TestUser) {
  const { botUsers, funnelStates } = funnel.db.tables;
  const [found] = await funnel.db
    .select()
    .from(botUsers)
    .where(eq(botUsers.telegramUserId, String(user.id)));
  const states = await funnel.db
    .select()
    .from(funnelStates)
    .where(eq(funnelStates.botUserId, found?.id ?? 0))
    .orderBy(funnelStates.id);
  return { blockedAt: found?.blockedAt, states: states.map(({ state }) => state) };
}

describe(`messages to Telegram on ${testDialect}`, () => {
  /** What waits for somebody, in the order in which it was written. */
  async function waitingFor(user: TestUser) {
    const { outbox, botUsers } = funnel.db.tables;
    const theirs = funnel.db
      .select({ id: botUsers.id })
      .from(botUsers)
      .where(eq(botUsers.telegramUserId, String(user.id)));
    return funnel.db
      .select()
      .from(outbox)
      .where(and(inArray(outbox.botUserId, theirs), eq(outbox.status, "pending")))
      .orderBy(outbox.id);
  }

  /** How often Telegram was asked to send somebody something. */
  const askedFor = (user: TestUser) =>
    funnel.sandbox.calls.items().filter(({ params }) => params.chat_id === String(user.id)).length;

  test("429 for somebody who taps fast holds their chat alone, in its order; everybody else is served", async () => {
    const offer = await funnel.addOffer();
    const tapper = newUser();
    const tap = () => funnel.push(buttonUpdate(tapper, `offer:${offer.id}`));
    await funnel.fault({ mode: "429", chat_id: tapper.id, times: 1, retry_after: 60 });
    await tap();
    await funnel.dispatcher.drain();
    // What leaves before that answer is written down may still get through, so the others come after it.
    for (let i = 0; i < 2; i++) await tap();
    await funnel.dispatcher.drain();
    expect(askedFor(tapper)).toBe(1);
    const buyer = newUser();
    await funnel.push(startUpdate(buyer));
    await funnel.push(buttonUpdate(tapper, `buy:${offer.id}`));
    await funnel.dispatcher.drain();
    expect(funnel.chat(buyer.id)).toHaveLength(1);
    expect(askedFor(tapper)).toBe(1);
    const waiting = await waitingFor(tapper);
    expect(waiting).toHaveLength(4);
    expect(waiting.at(-1)).toMatchObject({ eventName: "checkout", attempts: 0 });
    const dueAt = waiting.map(({ availableAt }) => availableAt.getTime());
    // At once, they would be refused one after the other again, while everybody else waits. Each wait counts from its own
    // writing down, so between two that were in hand together some milliseconds may lack.
    const betweenMs = dueAt.slice(1).map((at, i) => at - (dueAt[i] ?? at));
    expect(Math.min(...betweenMs)).toBeGreaterThan(500);
    expect(dueAt[0]).toBeGreaterThan(Date.now() + 50_000);
    expect(await route()).toMatchObject({ throttledUntil: null });
    for (let left = 4; left > 0; left--) {
      await passTime(funnel.db);
      await funnel.dispatcher.drain();
    }
    expect(funnel.chat(tapper.id)).toHaveLength(4);
  });

  test("a message to a chat that is limited leaves a second to an earlier one that is in hand at the same time", async () => {
    const { db } = funnel;
    const offer = await funnel.addOffer();
    const tapper = newUser();
    await funnel.fault({ mode: "429", chat_id: tapper.id, times: 1, retry_after: 60 });
    for (let i = 0; i < 3; i++) {
      await funnel.push(buttonUpdate(tapper, `offer:${offer.id}`));
      if (i === 0) await funnel.dispatcher.drain();
    }
    const [, second, third] = await waitingFor(tapper);
    if (!second || !third) throw new Error("three messages wait");
    const { outboxProgress } = db.tables;
    await db.transaction((tx) =>
      tx.update(outboxProgress).set({ status: "sending" }).where(eq(outboxProgress.id, second.id)),
    );
    const thirdWaitsMs = await chatBackOffMs(db, third);
    expect(thirdWaitsMs - (await chatBackOffMs(db, second))).toBeGreaterThanOrEqual(1_000);
    await db.transaction((tx) =>
      tx.update(outboxProgress).set({ status: "pending" }).where(eq(outboxProgress.id, second.id)),
    );
    for (let left = 3; left > 0; left--) {
      await passTime(db);
      await funnel.dispatcher.drain();
    }
    expect(funnel.chat(tapper.id)).toHaveLength(3);
  });

  test("a message that waited for its chat goes before later ones, though all of the bot was limited meanwhile", async () => {
    const { db } = funnel;
    const { outboxProgress } = db.tables;
    const offer = await funnel.addOffer();
    const user = newUser();
    await funnel.fault({ mode: "429", chat_id: user.id, times: 1, retry_after: 60 });
    await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    await funnel.push(buttonUpdate(user, `offer:${offer.id}`));
    const waiting = await waitingFor(user);
    expect(waiting).toHaveLength(2);
    for (const [i, secondsAgo] of [5, 20].entries()) {
      await db.transaction((tx) =>
        tx
          .update(outboxProgress)
          .set({ availableAt: new Date(Date.now() - secondsAgo * 1_000) })
          .where(eq(outboxProgress.id, waiting[i]?.id ?? 0)),
      );
    }
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id)).toHaveLength(1);
    expect(await waitingFor(user)).toMatchObject([{ eventName: "offer" }]);
    await passTime(db);
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id)).toHaveLength(2);
  });

  test("two who tap fast at the same time hold up nobody else, as long as others' messages get through", async () => {
    const tappers = [newUser(), newUser()];
    for (const tapper of tappers) {
      await funnel.fault({ mode: "429", chat_id: tapper.id, times: 1, retry_after: 60 });
      await funnel.push(startUpdate(tapper));
      await funnel.dispatcher.drain();
      const buyer = newUser();
      await funnel.push(startUpdate(buyer));
      await funnel.dispatcher.drain();
      expect(funnel.chat(buyer.id)).toHaveLength(1);
    }
    for (const tapper of tappers) expect(await waitingFor(tapper)).toHaveLength(1);
    await passTime(funnel.db);
    await funnel.dispatcher.drain();
    for (const tapper of tappers) expect(funnel.chat(tapper.id)).toHaveLength(1);
  });

  test("429 for one chat after the other is the bot's limit: all of it waits, and then all of it goes", async () => {
    const [first, second, third] = [newUser(), newUser(), newUser()];
    await funnel.fault({ mode: "429", times: 2, retry_after: 60 });
    for (const user of [first, second]) {
      await funnel.push(startUpdate(user));
      await funnel.dispatcher.drain();
    }
    expect((await route())?.throttledUntil?.getTime()).toBeGreaterThan(Date.now() + 50_000);
    await funnel.push(startUpdate(third));
    await funnel.dispatcher.drain();
    expect(askedFor(third)).toBe(0);
    await passTime(funnel.db);
    await funnel.dispatcher.drain();
    for (const user of [first, second, third]) expect(funnel.chat(user.id)).toHaveLength(1);
  });

  test("a message that a clock which was ahead put off holds up no other of its chat", async () => {
    const { db } = funnel;
    const user = newUser();
    await funnel.fault({ mode: "429", chat_id: user.id, times: 1, retry_after: 60 });
    await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    const [first] = await waitingFor(user);
    const { outboxProgress } = db.tables;
    await db.transaction((tx) =>
      tx
        .update(outboxProgress)
        .set({ availableAt: new Date(Date.now() + 90 * 86_400_000) })
        .where(eq(outboxProgress.id, first?.id ?? 0)),
    );
    await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id)).toHaveLength(1);
    expect(await waitingFor(user)).toHaveLength(1);
    await passTime(db);
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id)).toHaveLength(2);
  });

  test("429 for nobody knows whom holds the whole bot for as long as Telegram says, and costs no attempt", async () => {
    const user = newUser();
    await funnel.fault({ mode: "429", times: 1, retry_after: 60 });
    const row = await say(user);
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "pending", attempts: 0 });
    const heldMs = ((await route())?.throttledUntil?.getTime() ?? 0) - Date.now();
    expect(heldMs).toBeGreaterThan(50_000);
    const second = await say(newUser());
    await funnel.dispatcher.drain();
    expect(await second()).toMatchObject({ status: "pending", attempts: 0 });
    await passTime(funnel.db);
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "delivered", attempts: 1 });
    expect(await second()).toMatchObject({ status: "delivered", attempts: 1 });
  });

  test("who blocked the bot: the message is dead with Telegram's words, and the person shows as blocked, once", async () => {
    const user = newUser();
    await funnel.push(startUpdate(user));
    await funnel.dispatcher.drain();
    await funnel.fault({ mode: "403", chat_id: user.id, times: 2 });
    const first = await say(user);
    await funnel.dispatcher.drain();
    const second = await say(user);
    await funnel.dispatcher.drain();
    for (const row of [first, second]) {
      expect(await row()).toMatchObject({
        status: "dead",
        lastError: expect.stringContaining("Forbidden: bot was blocked by the user"),
      });
    }
    expect(await person(user)).toMatchObject({ blockedAt: expect.any(Date), states: ["started", "blocked"] });
    expect(await route()).toBeUndefined();

    await funnel.push(startUpdate(user));
    expect((await person(user)).blockedAt).toBeNull();
  });

  test("Telegram's own word that somebody blocked or unblocked the bot counts the same", async () => {
    const user = newUser();
    await funnel.push(startUpdate(user));
    await funnel.push(membershipUpdate(user, "kicked"));
    expect(await person(user)).toMatchObject({ blockedAt: expect.any(Date), states: ["started", "blocked"] });
    await funnel.push(membershipUpdate(user, "member"));
    expect((await person(user)).blockedAt).toBeNull();
    await funnel.push(membershipUpdate(newUser(), "kicked"));
  });

  test("each block is a step of its own, of the visit's pool and this bot; a copy of an old one blocks nobody", async () => {
    const { db, pool } = funnel;
    const { botUsers, funnelStates } = db.tables;
    const visit = funnel.visit();
    await db.transaction((tx) => recordVisits(tx, db.tables, [visit]));
    const user = newUser();
    await funnel.push(startUpdate(user), OTHER_TOKEN);
    await funnel.push(startUpdate(user, visit.trackingToken));
    const kicked = membershipUpdate(user, "kicked");
    await funnel.push(kicked);
    await funnel.push(membershipUpdate(user, "member"));
    await funnel.push(kicked);
    const people = () =>
      db
        .select()
        .from(botUsers)
        .where(eq(botUsers.telegramUserId, String(user.id)))
        .orderBy(botUsers.id);
    expect(await people()).toMatchObject([{ blockedAt: null }, { blockedAt: null }]);
    await funnel.push(membershipUpdate(user, "kicked"));
    const [elsewhere, here] = await people();
    expect(elsewhere?.blockedAt).toBeNull();
    expect(here?.blockedAt).toBeInstanceOf(Date);
    const blocks = await db
      .select()
      .from(funnelStates)
      .where(and(eq(funnelStates.botUserId, here?.id ?? 0), eq(funnelStates.state, "blocked")));
    const step = { poolId: pool.id, trackingToken: visit.trackingToken };
    expect(blocks).toMatchObject([step, step]);
  });

  test("a message that Telegram refuses is dead with its words, and its neighbours go", async () => {
    const user = newUser();
    await funnel.push(startUpdate(user));
    const bad = await say(user, "<b>never closed");
    const good = await say(newUser());
    await funnel.dispatcher.drain();
    expect(await bad()).toMatchObject({
      status: "dead",
      lastError: expect.stringContaining("can't parse entities"),
    });
    expect(await good()).toMatchObject({ status: "delivered" });
    // It says nothing against its reader.
    expect(await person(user)).toMatchObject({ blockedAt: null, states: ["started"] });
  });

  test("what is no message of ours, as another version may have left it, is dead alone", async () => {
    const { outbox } = funnel.db.tables;
    const eventId = `test_${++counter}`;
    const payload = { method: "sendSticker", body: { chat_id: "5" } };
    const about = { destination: "telegram", route: String(funnel.shop.id), eventName: "welcome" } as const;
    await funnel.db.transaction((tx) => enqueue(tx, funnel.db.tables, [{ ...about, eventId, payload }]));
    const good = await say(newUser());
    await funnel.dispatcher.drain();
    const [strange] = await funnel.db.select().from(outbox).where(eq(outbox.eventId, eventId));
    expect(strange).toMatchObject({ status: "dead", lastError: "not sent: no message of ours" });
    expect(await good()).toMatchObject({ status: "delivered" });
  });

  test("a redirect is not followed: the bot's token would go along", async () => {
    using server = startRedirecting();
    const sent = await send({ apiUrl: server.url, text: "oi" });
    expect(sent).toMatchObject({ verdict: { kind: "transient" }, answer: { status: 307 } });
    expect(server.paths).toEqual([`/bot${BOT_TOKEN}/sendMessage`]);
  });

  test.each([
    ["500", { mode: "500" }, 500],
    ["a connection that breaks", { mode: "reset" }, null],
  ])("%s is tried again later, and the attempt is written down", async (_, fault, status) => {
    await funnel.fault({ ...fault, times: 1 });
    const row = await say(newUser());
    await funnel.dispatcher.drain();
    const failed = await row();
    expect(failed).toMatchObject({ status: "pending", attempts: 1, lastError: expect.any(String) });
    const { outboxAttempts } = funnel.db.tables;
    const attempts = await funnel.db.select().from(outboxAttempts).orderBy(outboxAttempts.id);
    expect(attempts.at(-1)).toMatchObject({ outcome: "transient", status, outboxIds: [failed?.id] });
    await passTime(funnel.db);
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "delivered", attempts: 2 });
  });

  test("no answer in time is tried again later", async () => {
    await funnel.fault({ mode: "latency", ms: 60_000, times: 1 });
    const sent = await send({ apiUrl: funnel.sandbox.url, text: "oi", timeoutMs: 50 });
    expect(sent).toMatchObject({
      verdict: { kind: "transient", reason: "time-out: no answer within 50 ms" },
      answer: { status: null },
    });
  });

  test("a long message that Telegram repeats, each letter as six characters, has arrived", async () => {
    const escaped = (text: string) =>
      text.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
    using echo = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { text } = await request.json();
        return new Response(escaped(JSON.stringify({ ok: true, result: { message_id: 7, date: 1, text } })));
      },
    });
    const sent = await send({ apiUrl: `http://127.0.0.1:${echo.port}`, text: "ж".repeat(3_000) });
    expect(sent).toMatchObject({
      verdict: { kind: "delivered" },
      answer: { status: 200, response: '{"ok":true,"result":{"message_id":7,"date":1}}' },
    });
  });

  test("where the answer was lost, the person gets one copy more, and no more than that", async () => {
    const user = newUser();
    await funnel.fault({ mode: "reset", after: true, times: 1 });
    const row = await say(user);
    await funnel.dispatcher.drain();
    await passTime(funnel.db);
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "delivered" });
    const sent = funnel.sandbox.calls
      .items()
      .filter(({ params, result }) => params.chat_id === String(user.id) && result !== undefined);
    expect(sent).toHaveLength(2);
  });

  test("a token that is refused pauses the bot; nothing is lost, and a new token lets it go", async () => {
    const { db, deps, shop } = funnel;
    const setToken = (token: string) =>
      db.transaction(async (tx) => {
        const sealed = deps.secrets.seal(token, "bots.token");
        await tx.update(db.tables.bots).set({ token: sealed }).where(eq(db.tables.bots.id, shop.id));
        await tx.delete(db.tables.outboxRoutes);
      });
    await setToken("700001:short");
    const row = await say(newUser());
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "pending", attempts: 0 });
    expect(await route()).toMatchObject({
      pausedAt: expect.any(Date),
      pausedReason: expect.stringMatching(/Unauthorized.*ponte bot update/),
    });
    await setToken(BOT_TOKEN);
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "delivered" });
  });

  test("a bot without a token is paused before anything is sent", async () => {
    const row = await say(newUser(), "oi", "welcome", "987654");
    await funnel.dispatcher.drain();
    expect(await row()).toMatchObject({ status: "pending" });
    expect(await route("987654")).toMatchObject({ pausedReason: expect.stringContaining("has no token") });
    const { outboxProgress } = funnel.db.tables;
    await funnel.db.transaction((tx) => tx.delete(outboxProgress).where(eq(outboxProgress.route, "987654")));
  });

  test("a provider that is down holds up its own checkouts, and no other message of the bot", async () => {
    const { db, shop } = funnel;
    const user = newUser();
    const offer = await funnel.addOffer({ provider: "slowpix" });
    funnel.provider.answerWith(() => {
      throw new Error("the provider answered 500");
    });
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    const row = await say(user);
    await funnel.dispatcher.drain();
    const { outbox } = db.tables;
    const checkout = async () => {
      const [found] = await db
        .select()
        .from(outbox)
        .where(eq(outbox.route, `${shop.id}/slowpix`));
      return found;
    };
    expect(await checkout()).toMatchObject({
      status: "pending",
      attempts: 1,
      lastError: expect.stringContaining("the provider answered 500"),
    });
    expect(await row()).toMatchObject({ status: "delivered" });
    funnel.provider.answerWithPix();
    await passTime(db);
    await funnel.dispatcher.drain();
    expect(await checkout()).toMatchObject({ status: "delivered" });
  });

  test.each([
    ["a lane's throttles the bot itself", "/pix", ""],
    ["the bot's throttles its lanes", "", "/pix"],
  ])("a 429 is for the whole bot: %s, and no other bot", async (_, limited, throttled) => {
    const { db, shop, other } = funnel;
    const first = await say(newUser(), "oi", "welcome", `${shop.id}${limited}`);
    await funnel.fault({ mode: "429", retry_after: 30, times: 1 });
    await funnel.dispatcher.drain();
    expect(await first()).toMatchObject({ status: "pending", attempts: 0 });
    const second = await say(newUser(), "oi", "welcome", `${shop.id}${throttled}`);
    const elsewhere = await say(newUser(), "oi", "welcome", String(other.id));
    await funnel.dispatcher.drain();
    expect(await second()).toMatchObject({ status: "pending", attempts: 0 });
    expect(await elsewhere()).toMatchObject({ status: "delivered" });
    await passTime(db);
    await funnel.dispatcher.drain();
    expect([(await first())?.status, (await second())?.status]).toEqual(["delivered", "delivered"]);
  });

  test("offers that cannot be paid die alone: their buyers hear so, and the lane's good offers sell on", async () => {
    const { db, shop } = funnel;
    const good = await funnel.addOffer({ provider: "laned" });
    const bad = await funnel.addOffer({ provider: "laned", currency: "USD" });
    funnel.provider.refuse((request) =>
      request.currency === "USD" ? "Pix is paid in BRL. Change the offer." : null,
    );
    const unlucky = Array.from({ length: 6 }, () => newUser());
    for (const user of unlucky) await funnel.push(buttonUpdate(user, `buy:${bad.id}`));
    const lucky = newUser();
    await funnel.push(buttonUpdate(lucky, `buy:${good.id}`));
    await funnel.dispatcher.drain();
    await funnel.dispatcher.drain();
    const { outbox } = db.tables;
    const rows = await db
      .select()
      .from(outbox)
      .where(eq(outbox.route, `${shop.id}/laned`))
      .orderBy(outbox.id);
    expect(rows.map(({ status }) => status)).toEqual([...unlucky.map(() => "dead" as const), "delivered"]);
    expect(rows[0]).toMatchObject({ lastError: "cannot be paid: Pix is paid in BRL. Change the offer." });
    expect((await route(`${shop.id}/laned`))?.failures ?? 0).toBe(0);
    expect(funnel.chat(lucky.id).at(-1)?.params.caption).toContain("<code>pix-");
    const again = newUser();
    for (let taps = 0; taps < 2; taps++) await funnel.push(buttonUpdate(again, `buy:${bad.id}`));
    await funnel.dispatcher.drain();
    await funnel.dispatcher.drain();
    expect(funnel.chat(again.id)).toHaveLength(2);
    for (const user of unlucky) {
      expect(funnel.chat(user.id).map(({ params }) => params.text)).toEqual([
        "Esta oferta não pode ser paga no momento. Tente de novo mais tarde, por favor.",
      ]);
    }
  });

  test.each([
    "CURRENCY_TOTAL_AMOUNT_INVALID",
    // As a Bot API server of one's own says that is older than Stars: no token of ours would help.
    "PAYMENT_PROVIDER_INVALID",
  ])("whose offer Telegram makes no invoice of (%s) hears so", async (word) => {
    const offer = await funnel.addOffer({ provider: "telegram", currency: "XTR", priceMinor: 5 });
    const user = newUser({ language_code: "en" });
    await funnel.fault({
      mode: "400",
      chat_id: user.id,
      method: "sendInvoice",
      description: `Bad Request: ${word}`,
    });
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id).map(({ params }) => params.text)).toEqual([
      "This offer cannot be paid right now. Please try again later.",
    ]);
    expect(await route()).toBeUndefined();
  });

  test("an invoice in money waits for the bot's payment token, and holds up nothing else: neither messages nor Stars", async () => {
    const { db, shop } = funnel;
    const offer = await funnel.addOffer({ provider: "telegram", currency: "BRL" });
    const user = newUser();
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    const row = await say(user);
    await funnel.dispatcher.drain();
    expect(await route(`${shop.id}/telegram`)).toMatchObject({
      pausedReason: expect.stringContaining("payment token"),
    });
    expect(await row()).toMatchObject({ status: "delivered" });
    const stars = await funnel.addOffer({ provider: "telegram", currency: "XTR", priceMinor: 50 });
    const starsBuyer = newUser();
    await funnel.push(buttonUpdate(starsBuyer, `buy:${stars.id}`));
    await funnel.dispatcher.drain();
    expect(funnel.chat(starsBuyer.id).map(({ method }) => method)).toEqual(["sendInvoice"]);
    const telegram = telegramBotApi(funnel.sandbox.url);
    const change = { payment_token: "284685063:TEST:another-provider-token" };
    const bots = { ...funnel.deps, telegram, publicUrl: undefined };
    const updated = await updateBot(bots, "test", "shop_bot", change);
    expect(updated).toMatchObject({ kind: "updated", bot: { has_payment_token: true } });
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id).at(-1)).toMatchObject({ method: "sendInvoice" });
    const audit = await db.select().from(db.tables.auditLog);
    expect(JSON.stringify(audit)).toContain("payment_token");
    expect(JSON.stringify(audit)).not.toContain("another-provider-token");

    await funnel.fault({
      mode: "400",
      chat_id: user.id,
      description: "Bad Request: PAYMENT_PROVIDER_INVALID",
    });
    await funnel.push(buttonUpdate(user, `buy:${offer.id}`));
    await funnel.dispatcher.drain();
    expect(await route(`${shop.id}/telegram`)).toMatchObject({
      pausedReason: expect.stringContaining("--payment-token"),
    });
    await updateBot(bots, "test", "shop_bot", change);
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id).filter(({ method }) => method === "sendInvoice")).toHaveLength(2);
    await updateBot(bots, "test", "shop_bot", { payment_token: null });
    expect(await updateBot(bots, "test", "shop_bot", { payment_token: null })).toMatchObject({
      kind: "unchanged",
    });
  });

  test.each(["token", "paymentToken"] as const)(
    "a bot whose %s was changed while Telegram refused it is not held up for the old one",
    async (column) => {
      const { db, deps, shop } = funnel;
      const { bots } = db.tables;
      const ofShop = eq(bots.id, shop.id);
      const [before] = await db.select().from(bots).where(ofShop);
      const sealed = {
        token: deps.secrets.seal("1:other", "bots.token"),
        paymentToken: deps.secrets.seal("284685063:TEST:newest", "bots.payment_token"),
      };
      let isChanged = false;
      using api = Bun.serve({
        port: 0,
        async fetch() {
          if (isChanged)
            await db.transaction((tx) =>
              tx
                .update(bots)
                .set({ [column]: sealed[column] })
                .where(ofShop),
            );
          const refusal = { ok: false, error_code: 401, description: "Unauthorized" };
          return Response.json(refusal, { status: 401 });
        },
      });
      const verdict = async () => (await send({ apiUrl: api.url.origin, text: "oi" })).verdict;
      expect(await verdict()).toMatchObject({ kind: "credential" });
      isChanged = true;
      expect(await verdict()).toMatchObject({ kind: "outdated" });
      // It was in its place before this message went.
      expect(await verdict()).toMatchObject({ kind: "credential" });
      await db.transaction((tx) =>
        tx
          .update(bots)
          .set({ [column]: before?.[column] ?? null })
          .where(ofShop),
      );
    },
  );

  test("an answer in a chat is not sent a day late; a delivery is, however late", async () => {
    const { db } = funnel;
    const late = await say(newUser(), "oi", "welcome");
    const delivery = await say(newUser(), "your course", "delivery");
    const longAgo = new Date(Date.now() - 30 * 24 * 3_600_000);
    const { outboxProgress } = db.tables;
    await db.transaction((tx) =>
      tx.update(outboxProgress).set({ createdAt: longAgo }).where(eq(outboxProgress.status, "pending")),
    );
    await funnel.dispatcher.drain();
    expect(await late()).toMatchObject({ status: "expired" });
    expect(await delivery()).toMatchObject({ status: "delivered" });
  });

  test("the bot's token shows in no log line, no attempt and no row", async () => {
    const { db, logLines } = funnel;
    const { outbox, outboxAttempts, outboxRoutes } = db.tables;
    const all = JSON.stringify([
      logLines,
      await db.select().from(outbox),
      await db.select().from(outboxAttempts),
      await db.select().from(outboxRoutes),
    ]);
    expect(all).toContain("TELEGRAM RAW RESPONSE");
    expect(all).not.toContain(BOT_TOKEN.split(":")[1] ?? "");
  });
});
