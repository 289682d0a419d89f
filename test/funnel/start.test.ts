import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { eq, inArray } from "drizzle-orm";
import { firstIdAt, newId } from "../../src/platform/ids.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { testDialect } from "../support/database.ts";
import { API_KEY, type Funnel, OTHER_TOKEN, openFunnel } from "../support/funnel.ts";
import { emptyOutbox } from "../support/outbox.ts";
import { newUser, startUpdate } from "../support/telegram-updates.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());

/** A visit by an ad, as the redirect records it. */
async function visit(query = "fbclid=AbCd&utm_campaign=summer") {
  const { db } = funnel;
  const record = funnel.visit(query);
  await db.transaction((tx) => recordVisits(tx, db.tables, [record]));
  return record.trackingToken;
}

async function stored(userId: number) {
  const { db } = funnel;
  const { botUsers, funnelStates, outbox } = db.tables;
  const users = await db
    .select()
    .from(botUsers)
    .where(eq(botUsers.telegramUserId, String(userId)))
    .orderBy(botUsers.id);
  const ids = users.map(({ id }) => id);
  const states = await db
    .select()
    .from(funnelStates)
    .where(inArray(funnelStates.botUserId, ids))
    .orderBy(funnelStates.id);
  const all = await db.select().from(outbox).orderBy(outbox.id);
  const messages = all.filter(({ payload }) => JSON.stringify(payload).includes(`"${userId}"`));
  return { users, states, messages };
}

async function sessionOf(token: string) {
  const { sessions } = funnel.db.tables;
  const [session] = await funnel.db.select().from(sessions).where(eq(sessions.trackingToken, token));
  return session;
}

async function setPool(columns: { sendLead: boolean; metaTestEventCode?: string | null }) {
  const { db, pool } = funnel;
  await db.transaction((tx) =>
    tx.update(db.tables.pools).set(columns).where(eq(db.tables.pools.id, pool.id)),
  );
}

describe(`/start on ${testDialect}`, () => {
  test("links the person to the visit, notes the step, and sends the welcome with its offers", async () => {
    const offer = await funnel.addOffer();
    const token = await visit();
    const user = newUser({ username: "ana" });
    const answer = await funnel.push(startUpdate(user, token));
    expect(answer).toMatchObject({ kind: "answered", status: 200, body: "" });

    const { users, states } = await stored(user.id);
    expect(users).toMatchObject([
      { firstToken: token, latestToken: token, firstName: "Ana", username: "ana", languageCode: "pt-br" },
    ]);
    expect(states).toMatchObject([{ state: "started", trackingToken: token, poolId: funnel.pool.id }]);
    expect(await sessionOf(token)).toMatchObject({ userExternalId: String(user.id) });

    expect(funnel.chat(user.id)).toHaveLength(0);
    await funnel.dispatcher.drain();
    const [message] = funnel.chat(user.id);
    expect(message).toMatchObject({ method: "sendMessage", username: expect.stringContaining("700001") });
    expect(message?.params.text).toContain("Olá, Ana!");
    expect(JSON.stringify(message?.params.reply_markup)).toContain(`offer:${offer.id}`);
    expect(JSON.stringify(message?.params.reply_markup)).toContain("Curso <1> · R$");
  });

  test("without a token it is an organic start, in the person's language", async () => {
    const user = newUser({ language_code: "de" });
    await funnel.push(startUpdate(user));
    const { users, states } = await stored(user.id);
    expect(users).toMatchObject([{ firstToken: null, latestToken: null }]);
    expect(states).toMatchObject([{ state: "started", trackingToken: null, poolId: funnel.pool.id }]);
    await funnel.dispatcher.drain();
    expect(funnel.chat(user.id)[0]?.params.text).toContain("Hello, Ana!");
  });

  test.each([
    ["a word", "promo"],
    ["hex digits that are no UUIDv7", "0123456789abcdef0123456789abcdef"],
    ["a token from long ago", "0178f2a5c1d27e3f8a4b5c6d7e8f9012"],
    ["somebody's SQL", "';drop-table-bots--"],
    ["a token in capitals", "0193F2A5C1D27E3F8A4B5C6D7E8F9012"],
    ["what begins like a token, and has NUL in it", "0193f2a5c1d28e3f8a4b\0"],
    [
      "what begins like a token, and is a long text",
      `0193f2a5c1d28e3f8a4b${randomBytes(3_000).toString("base64url")}`,
    ],
  ])("with %s for a token it is an organic start all the same", async (_, payload) => {
    const user = newUser();
    expect(await funnel.push(startUpdate(user, payload))).toMatchObject({ status: 200 });
    const { users, states, messages } = await stored(user.id);
    expect(users).toMatchObject([{ firstToken: null, latestToken: null }]);
    expect(states).toHaveLength(1);
    expect(messages).toHaveLength(1);
  });

  test("a made-up token takes nobody's visit away", async () => {
    const token = await visit();
    const user = newUser();
    await funnel.push(startUpdate(user, token));
    await funnel.push(startUpdate(user, "0123456789abcdef0123456789abcdef"));
    const { users, states } = await stored(user.id);
    expect(users).toMatchObject([{ firstToken: token, latestToken: token }]);
    expect(states).toHaveLength(1);
  });

  test("a token whose visit is still spooled is kept, and linked when the visit has arrived", async () => {
    const { db } = funnel;
    const late = funnel.visit("fbclid=Late");
    const token = late.trackingToken;
    const user = newUser();
    await funnel.push(startUpdate(user, token));
    expect((await stored(user.id)).users).toMatchObject([{ firstToken: token, latestToken: token }]);
    await db.transaction((tx) => recordVisits(tx, db.tables, [late]));
    await funnel.push(startUpdate(user));
    expect(await sessionOf(token)).toMatchObject({ userExternalId: String(user.id) });
    expect((await stored(user.id)).states).toHaveLength(1);
  });

  test("updates that come in another order are the same: the later visit is the latest, the earlier the first", async () => {
    const [first, second] = [await visit(), await visit("fbclid=Second")];
    const user = newUser();
    await funnel.push(startUpdate(user, second));
    await funnel.push(startUpdate(user, first));
    const { users, states } = await stored(user.id);
    expect(users).toMatchObject([{ firstToken: first, latestToken: second }]);
    expect(states.map(({ trackingToken }) => trackingToken)).toEqual([second, first]);
    expect(await sessionOf(first)).toMatchObject({ userExternalId: String(user.id) });
    // Nor does a token that cannot be ours.
    await fetch(`${funnel.url}/api/payments`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}` },
      body: JSON.stringify({
        provider: "generic",
        provider_ref: `reordered-${user.id}`,
        amount_minor: 100,
        currency: "BRL",
        bot: "shop_bot",
        telegram_user_id: user.id,
        tracking_token: "f".repeat(32),
      }),
    });
    expect((await stored(user.id)).users).toMatchObject([{ firstToken: first, latestToken: second }]);
  });

  test("a visit that a clock which was ahead dated into the future is not the latest for as long", async () => {
    const { db } = funnel;
    const future = firstIdAt(Date.now() + 400 * 86_400_000).slice(0, 12) + newId().slice(12);
    const visitToCome = { ...funnel.visit("fbclid=ToCome"), trackingToken: future };
    await db.transaction((tx) => recordVisits(tx, db.tables, [visitToCome]));
    const user = newUser();
    await funnel.push(startUpdate(user, future));
    expect((await stored(user.id)).users).toMatchObject([{ latestToken: future }]);
    await funnel.push(startUpdate(user));
    expect((await stored(user.id)).users).toMatchObject([{ latestToken: future }]);
    const token = await visit();
    await funnel.push(startUpdate(user, token));
    await funnel.push(startUpdate(user));
    expect((await stored(user.id)).users).toMatchObject([{ firstToken: token, latestToken: token }]);
  });

  test("who comes back by a second ad keeps the first token, and starts once more", async () => {
    const [first, second] = [await visit(), await visit("fbclid=Second")];
    const user = newUser();
    await funnel.push(startUpdate(user, first));
    await funnel.push(startUpdate(user, second));
    await funnel.push(startUpdate(user, second));
    const { users, states, messages } = await stored(user.id);
    expect(users).toMatchObject([{ firstToken: first, latestToken: second }]);
    expect(states.map(({ trackingToken }) => trackingToken)).toEqual([first, second]);
    expect(messages).toHaveLength(3);
    expect(await sessionOf(first)).toMatchObject({ userExternalId: String(user.id) });
    expect(await sessionOf(second)).toMatchObject({ userExternalId: String(user.id) });
  });

  test("a person of two bots is two, each with their own visit", async () => {
    const token = await visit();
    const user = newUser();
    await funnel.push(startUpdate(user, token));
    await funnel.push(startUpdate(user), OTHER_TOKEN);
    const { users, states } = await stored(user.id);
    expect(users).toMatchObject([
      { botId: funnel.shop.id, latestToken: token },
      { botId: funnel.other.id, latestToken: null },
    ]);
    expect(states).toHaveLength(2);
    await funnel.dispatcher.drain();
    expect(
      funnel
        .chat(user.id)
        .map(({ bot_id }) => bot_id)
        .sort(),
    ).toEqual([700_001, 700_002]);
  });

  test("somebody else who opens the same link does not take the visit over", async () => {
    const token = await visit();
    const [first, second] = [newUser(), newUser()];
    await funnel.push(startUpdate(first, token));
    await funnel.push(startUpdate(second, token));
    expect(await sessionOf(token)).toMatchObject({ userExternalId: String(first.id) });
    expect((await stored(second.id)).users).toMatchObject([{ latestToken: token }]);
  });

  test("the same update again is 200 and changes nothing", async () => {
    const token = await visit();
    const user = newUser();
    const update = startUpdate(user, token);
    const startedMs = Date.now();
    for (let copies = 0; copies < 3; copies++) {
      expect((await funnel.post(funnel.shop.id, update)).status).toBe(200);
    }
    const { telegramUpdates } = funnel.db.tables;
    const isIt = eq(telegramUpdates.updateId, update.update_id);
    const [noted] = await funnel.db.select().from(telegramUpdates).where(isIt);
    // By it retention knows how long it is kept.
    expect(noted?.createdAt.getTime()).toBeGreaterThanOrEqual(startedMs);
    const { states, messages } = await stored(user.id);
    expect(states).toHaveLength(1);
    expect(messages).toHaveLength(1);
  });

  test("fifty copies at once leave one person, one step and one welcome", async () => {
    const user = newUser();
    const update = startUpdate(user, await visit());
    const answers = await Promise.all(Array.from({ length: 50 }, () => funnel.post(funnel.shop.id, update)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { users, states, messages } = await stored(user.id);
    expect([users.length, states.length, messages.length]).toEqual([1, 1, 1]);
    const { telegramUpdates } = funnel.db.tables;
    const noted = await funnel.db
      .select()
      .from(telegramUpdates)
      .where(eq(telegramUpdates.updateId, update.update_id));
    expect(noted).toHaveLength(1);
  });

  test("the same update_id of two bots is two updates", async () => {
    const user = newUser();
    const update = startUpdate(user);
    await funnel.post(funnel.shop.id, update);
    await funnel.post(funnel.other.id, update);
    expect((await stored(user.id)).users).toHaveLength(2);
  });

  test("a Lead goes out once for a visit where the pool wants it, and else none", async () => {
    const leadsOf = async (part: string) => {
      const { outbox } = funnel.db.tables;
      const rows = await funnel.db.select().from(outbox).where(eq(outbox.eventName, "Lead"));
      return rows.filter(({ eventId }) => eventId === `lead_${part}`);
    };
    const quiet = await visit();
    await funnel.push(startUpdate(newUser(), quiet));
    expect(await leadsOf(quiet)).toEqual([]);

    await setPool({ sendLead: true, metaTestEventCode: "TEST1" });
    const tested = await visit();
    await funnel.push(startUpdate(newUser(), tested));
    expect(await leadsOf(tested)).toMatchObject([{ route: "5555555555/TEST1" }]);

    await setPool({ sendLead: true, metaTestEventCode: null });
    const token = await visit();
    const user = newUser();
    await funnel.push(startUpdate(user, token));
    await funnel.push(startUpdate(user, token));
    const organic = newUser();
    await funnel.push(startUpdate(organic));
    await funnel.push(startUpdate(organic), OTHER_TOKEN);
    await setPool({ sendLead: false });

    const [lead, ...more] = await leadsOf(token);
    expect(more).toEqual([]);
    expect(lead).toMatchObject({ route: "5555555555", status: "pending", trackingToken: token });
    expect(lead?.payload).toMatchObject({
      event_name: "Lead",
      event_id: `lead_${token}`,
      user_data: { fbc: expect.stringContaining(".AbCd") },
    });
    for (const { id } of (await stored(organic.id)).users) {
      const event_id = `lead_user_${id}`;
      expect(await leadsOf(`user_${id}`)).toMatchObject([{ eventId: event_id, payload: { event_id } }]);
    }
    await funnel.dispatcher.drain();
    const accepted = funnel.sandbox.events.list({}, 100).map(({ event }) => event.event_id);
    expect(accepted).toContain(`lead_${token}`);

    // Long afterwards, when retention has taken it.
    await emptyOutbox(funnel.db);
    await setPool({ sendLead: true });
    await funnel.push(startUpdate(user, token));
    await setPool({ sendLead: false });
    expect(await leadsOf(token)).toEqual([]);
  });

  test("names that no database can hold are cleaned, not refused", async () => {
    const user = newUser({ first_name: "A\0na \ud800" });
    expect(await funnel.push(startUpdate(user))).toMatchObject({ status: 200 });
    expect((await stored(user.id)).users).toMatchObject([{ firstName: "Ana \ufffd" }]);
  });

  test("an operator's own welcome is sent with the name in it", async () => {
    const { db, shop } = funnel;
    const setWelcome = (welcome: string | null) =>
      db.transaction((tx) =>
        tx.update(db.tables.bots).set({ welcome }).where(eq(db.tables.bots.id, shop.id)),
      );
    await setWelcome("Oi {name}, <b>não é negrito</b> & pronto");
    const user = newUser();
    await funnel.push(startUpdate(user, newId()));
    await funnel.dispatcher.drain();
    await setWelcome(null);
    const [call] = funnel.chat(user.id);
    expect(JSON.stringify(call?.result)).toContain("Oi Ana, <b>não é negrito</b> & pronto");
  });
});
