import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import { testDialect } from "../support/database.ts";
import { type Funnel, openFunnel } from "../support/funnel.ts";
import { buttonUpdate, newUser, startUpdate } from "../support/telegram-updates.ts";

let funnel: Funnel;
beforeAll(async () => {
  funnel = await openFunnel();
});
afterAll(() => funnel.dispose());

/** How many rows a webhook could have written. */
async function written() {
  const { botUsers, funnelStates, outbox, telegramUpdates, payments } = funnel.db.tables;
  const counts = [];
  for (const table of [botUsers, funnelStates, outbox, telegramUpdates, payments]) {
    counts.push(await funnel.db.$count(table));
  }
  return counts;
}

async function unchanged(work: () => Promise<void>) {
  const before = await written();
  await work();
  expect(await written()).toEqual(before);
}

describe(`the webhook on ${testDialect}`, () => {
  test.each([
    ["no secret", undefined],
    ["an empty secret", ""],
    ["another secret", "secret-of-nobody"],
    ["another bot's secret", "other"],
    ["the secret's beginning", "secret-of-"],
  ])("%s is 401, and nothing changes", (_, secret) =>
    unchanged(async () => {
      const headers = new Headers();
      if (secret !== undefined) {
        headers.set(
          "x-telegram-bot-api-secret-token",
          secret === "other" ? `secret-of-${funnel.other.id}` : secret,
        );
      }
      const body = JSON.stringify(startUpdate(newUser()));
      const url = `${funnel.url}/telegram/${funnel.shop.id}`;
      const answer = await fetch(url, { method: "POST", headers, body });
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.text()).not.toContain("secret-of");
    }),
  );

  test.each(["999999", "0", "-1", "1e3", "shop_bot", "9".repeat(30), "%00"])(
    "the webhook of bot %s is 404",
    (id) =>
      unchanged(async () => {
        const url = `${funnel.url}/telegram/${id}`;
        expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(404);
      }),
  );

  test("a bot that lives elsewhere has no webhook here", async () => {
    const { db } = funnel;
    const times = { createdAt: new Date(), updatedAt: new Date() };
    const [bot] = await db.transaction((tx) =>
      tx
        .insert(db.tables.bots)
        .values({ username: "elsewhere_bot", ...times })
        .returning(),
    );
    expect((await funnel.post(bot?.id ?? 0, startUpdate(newUser()))).status).toBe(404);
  });

  test("a body of 1 MB is 413, one that is cut or no update is 400, and nothing changes", () =>
    unchanged(async () => {
      const { shop } = funnel;
      const text = JSON.stringify(startUpdate(newUser()));
      expect((await funnel.post(shop.id, JSON.stringify({ pad: "x".repeat(1_000_000) }))).status).toBe(413);
      expect((await funnel.post(shop.id, text.slice(0, -3))).status).toBe(400);
      expect((await funnel.post(shop.id, "")).status).toBe(400);
      const answer = await funnel.post(shop.id, { update_id: 1, message: {} });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ errors: [{ path: "message.message_id" }, {}] });
    }));

  test("waits for no message: Telegram hangs, and the answer is there at once, the welcome in the outbox", async () => {
    const { db, dispatcher, shop } = funnel;
    const { outbox } = db.tables;
    await funnel.fault({ mode: "latency", ms: 2_500, times: 1 });
    const slow = newUser();
    await funnel.post(shop.id, startUpdate(slow));
    let isSent = false;
    const sending = dispatcher.drain().then(() => {
      isSent = true;
    });
    const update = startUpdate(newUser());
    expect((await funnel.post(shop.id, update)).status).toBe(200);
    expect(isSent).toBe(false);
    const [row] = await db
      .select()
      .from(outbox)
      .where(eq(outbox.eventId, `welcome_${shop.id}_${update.update_id}`));
    expect(row).toMatchObject({ attempts: expect.any(Number), deliveredAt: null });
    await sending;
    expect(funnel.chat(slow.id)).toHaveLength(1);
  });

  test("other methods are 405, whatever they bring", async () => {
    const headers = { "content-type": "application/json" };
    for (const init of [{}, { method: "PUT", headers, body: "{bad" }]) {
      const answer = await fetch(`${funnel.url}/telegram/${funnel.shop.id}`, init);
      expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    }
  });

  const user = newUser();
  const chat = { id: user.id, type: "private" };
  const group = { id: -100, type: "supergroup", title: "Group" };
  const command = [{ type: "bot_command", offset: 0, length: 6 }];
  test.each([
    ["a text", { message: { message_id: 1, date: 1, chat, from: user, text: "oi" } }],
    ["a photo", { message: { message_id: 1, date: 1, chat, from: user, photo: [] } }],
    [
      "a message of a kind to come, with a command and without a text",
      { message: { message_id: 1, date: 1, chat, from: user, entities: command } },
    ],
    [
      "/help",
      {
        message: {
          message_id: 1,
          date: 1,
          chat,
          from: user,
          text: "/help",
          entities: [{ type: "bot_command", offset: 0, length: 5 }],
        },
      },
    ],
    ["/start without its entity", { message: { message_id: 1, date: 1, chat, from: user, text: "/start" } }],
    [
      "/start in a group",
      { message: { message_id: 1, date: 1, chat: group, from: user, text: "/start", entities: command } },
    ],
    [
      "another bot's /start",
      {
        message: {
          message_id: 1,
          date: 1,
          chat,
          from: user,
          text: "/start@else_bot",
          entities: [{ type: "bot_command", offset: 0, length: 15 }],
        },
      },
    ],
    ["an edited message", { edited_message: { message_id: 1, date: 1, chat, text: "/start" } }],
    ["a channel's post", { channel_post: { message_id: 1, date: 1, chat: group, text: "/start" } }],
    ["an inline query", { inline_query: { id: "1", from: user, query: "x", offset: "" } }],
    ["a poll's answer", { poll_answer: { poll_id: "1", user, option_ids: [0] } }],
    ["a reaction", { message_reaction: { chat, message_id: 1, date: 1, new_reaction: [] } }],
    ["a request to join", { chat_join_request: { chat: group, from: user, date: 1 } }],
    ["a shipping query", { shipping_query: { id: "1", from: user, invoice_payload: "x" } }],
    ["a game's button", { callback_query: { id: "1", from: user, game_short_name: "x" } }],
    [
      "membership in a group",
      {
        my_chat_member: { chat: group, from: user, date: 1, new_chat_member: { status: "kicked" } },
      },
    ],
    ["a kind of tomorrow", { teleportation: { id: 1 } }],
    ["nothing at all", {}],
  ])("%s is 200 and changes nothing", (_, update) =>
    unchanged(async () => {
      const answer = await funnel.post(funnel.shop.id, { update_id: 77, ...update });
      expect([answer.status, await answer.text()]).toEqual([200, ""]);
    }),
  );

  test("/start with the bot's own name is a start", async () => {
    const person = newUser();
    const update = startUpdate(person);
    update.message.text = "/start@shop_bot";
    update.message.entities = [{ type: "bot_command", offset: 0, length: 15 }];
    await funnel.post(funnel.shop.id, update);
    const { botUsers } = funnel.db.tables;
    const found = await funnel.db
      .select()
      .from(botUsers)
      .where(eq(botUsers.telegramUserId, String(person.id)));
    expect(found).toHaveLength(1);
  });

  test.each(["buy:999999", "offer:0", "offer:1e3", "drop:1", "x".repeat(64), ""])(
    "a button that says %j is answered in the person's words, and changes nothing",
    (data) =>
      unchanged(async () => {
        const answer = await funnel.post(
          funnel.shop.id,
          buttonUpdate(newUser({ language_code: "en" }), data),
        );
        expect(answer.status).toBe(200);
        expect(await answer.json()).toMatchObject({
          method: "answerCallbackQuery",
          callback_query_id: expect.stringMatching(/^cb/),
          text: "This offer is not available any more.",
        });
      }),
  );

  test("another bot's offer cannot be had here", async () => {
    const offer = await funnel.addOffer({ botId: funnel.other.id });
    const answer = await funnel.post(funnel.shop.id, buttonUpdate(newUser(), `buy:${offer.id}`));
    expect(await answer.json()).toMatchObject({ text: expect.stringContaining("não está mais disponível") });
  });

  test("while the database does not take it, the answer is 503 and nothing of it stays; then it is taken", async () => {
    const { db } = funnel;
    const update = startUpdate(newUser());
    const before = await written();
    await db.transaction((tx) => tx.rows(sql`alter table funnel_states rename to funnel_states_away`));
    try {
      const answer = await funnel.post(funnel.shop.id, update);
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("5");
      expect(await answer.json()).toMatchObject({ status: 503, detail: expect.stringContaining("again") });
    } finally {
      await db.transaction((tx) => tx.rows(sql`alter table funnel_states_away rename to funnel_states`));
    }
    expect(await written()).toEqual(before);
    expect((await funnel.post(funnel.shop.id, update)).status).toBe(200);
    const [users = 0] = await written();
    expect(users).toBe((before[0] ?? 0) + 1);
    const line = funnel.logLines.findLast(({ msg }) => msg?.startsWith("an update could not be handled"));
    expect(line).toMatchObject({ todo: expect.stringContaining("migrate") });
  });

  test("neither tokens nor secrets show in the log", () => {
    const log = JSON.stringify(funnel.logLines);
    expect(log).not.toContain("AAF-");
    expect(log).not.toContain("secret-of-");
  });
});
