import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq } from "drizzle-orm";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import { testDialect } from "../support/database.ts";
import { API_KEY, type Funnel, openFunnel } from "../support/funnel.ts";

let funnel: Funnel;
let token: string;
beforeAll(async () => {
  funnel = await openFunnel();
  const { db } = funnel;
  const record = funnel.visit("fbclid=AbCd&utm_campaign=summer");
  await db.transaction((tx) => recordVisits(tx, db.tables, [record]));
  token = record.trackingToken;
});
afterAll(() => funnel.dispose());

async function start(body: unknown, key: string | null = API_KEY) {
  const response = await fetch(`${funnel.url}/api/bot/start`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

let user = 500;
const person = () => ({ bot: "shop_bot", telegram_user_id: ++user });

describe(`POST /api/bot/start on ${testDialect}`, () => {
  test("links the person to the visit and answers what is known of it; again it is 200 with the same", async () => {
    const input = {
      ...person(),
      tracking_token: token,
      username: "ana",
      first_name: "Ana",
      language_code: "pt",
    };
    const first = await start(input);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      bot: "shop_bot",
      bot_user_id: expect.any(Number),
      telegram_user_id: String(input.telegram_user_id),
      tracking_token: token,
      first_token: token,
      pool: "shop",
      session: {
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        fbclid: "AbCd",
        fbc: expect.stringMatching(/^fb\.1\.\d+\.AbCd$/),
        fbp: expect.stringMatching(/^fb\.1\.\d+\.\d+$/),
        utm_source: null,
        utm_campaign: "summer",
        utm_medium: null,
        utm_content: null,
        utm_term: null,
        params: {},
        event_source_url: expect.stringContaining("/go/open?fbclid=AbCd"),
      },
    });
    expect(await start(input)).toEqual({ status: 200, body: first.body });
    const { botUsers, funnelStates, outbox, sessions } = funnel.db.tables;
    const [row] = await funnel.db.select().from(botUsers).where(eq(botUsers.id, first.body.bot_user_id));
    expect(row).toMatchObject({
      firstToken: token,
      username: "ana",
      firstName: "Ana",
      languageCode: "pt",
    });
    const states = await funnel.db
      .select()
      .from(funnelStates)
      .where(eq(funnelStates.botUserId, first.body.bot_user_id));
    expect(states).toMatchObject([{ state: "started", trackingToken: token }]);
    const [session] = await funnel.db.select().from(sessions).where(eq(sessions.trackingToken, token));
    expect(session?.userExternalId).toBe(String(input.telegram_user_id));
    // Greeting people is the part of the operator's own bot.
    const messages = await funnel.db.select().from(outbox).where(eq(outbox.destination, "telegram"));
    expect(messages).toEqual([]);
  });

  test("without a token, or with one that is no visit's, it is an organic start", async () => {
    for (const tracking_token of [undefined, null, "", "promo", "0123456789abcdef0123456789abcdef"]) {
      const { status, body } = await start({ ...person(), tracking_token });
      expect(status).toBe(201);
      expect(body).toMatchObject({ tracking_token: null, first_token: null, session: null });
    }
  });

  test("an update_id that came before changes nothing more", async () => {
    const input = { ...person(), update_id: 42 };
    expect((await start(input)).status).toBe(201);
    const again = await start({ ...input, tracking_token: token });
    expect(again).toMatchObject({ status: 200, body: { tracking_token: null } });
  });

  test("a copy of it is answered with what is known of the person in that bot", async () => {
    const input = { ...person(), update_id: 43, tracking_token: token };
    await start({ ...input, bot: "other_bot", tracking_token: null });
    const first = await start(input);
    expect(await start(input)).toEqual({ status: 200, body: first.body });
  });

  test("a visit that still waits on this machine's disk is brought in first", async () => {
    const late = funnel.visit("fbclid=Late");
    funnel.deps.spool.append([{ key: late.trackingToken, body: encodeVisit(late) }]);
    const { body } = await start({ ...person(), tracking_token: late.trackingToken });
    expect(body.session).toMatchObject({ fbclid: "Late" });
  });

  test("fifty at once are one person and one step", async () => {
    const input = { ...person(), tracking_token: token };
    const answers = await Promise.all(Array.from({ length: 50 }, () => start(input)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => body.bot_user_id)).size).toBe(1);
  });

  test("a name with @ and in capitals is the same bot", async () => {
    expect((await start({ ...person(), bot: "@Shop_Bot" })).status).toBe(201);
  });

  test.each([
    ["no bot", { bot: undefined }, "bot"],
    ["a bot's number", { bot: 1 }, "bot"],
    ["a user that is no number", { telegram_user_id: "ana" }, "telegram_user_id"],
    ["a user with a zero before it", { telegram_user_id: "0888" }, "telegram_user_id"],
    ["a negative user", { telegram_user_id: -5 }, "telegram_user_id"],
    ["a user with decimals", { telegram_user_id: 1.5 }, "telegram_user_id"],
    ["an update_id that is text", { update_id: "1" }, "update_id"],
    ["a token that is a number", { tracking_token: 5 }, "tracking_token"],
    ["a name with NUL", { first_name: "a\0b" }, "first_name"],
    ["half a character", { first_name: "\ud800" }, "first_name"],
    ["an unknown field", { telegram_id: 5 }, "telegram_id"],
  ])("%s is 400, naming the field", async (_, extra, path) => {
    const { status, body } = await start({ ...person(), ...extra });
    expect(status).toBe(400);
    expect(body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test.each(["ana", "0888", -5, undefined])(
    "a telegram_user_id of %p is told what one looks like",
    async (id) => {
      const { body } = await start({ ...person(), telegram_user_id: id });
      expect(body.errors).toEqual([
        { path: "telegram_user_id", message: "must be a Telegram user's id, such as 123456789" },
      ]);
    },
  );

  test("an unknown bot is 422; no JSON is 400; a large body is 413; another method is 405", async () => {
    const unknown = await start({ ...person(), bot: "nobody_bot" });
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ path: "bot" }] } });
    expect(await start("{")).toMatchObject({ status: 400, body: { detail: "The body is not valid JSON." } });
    expect((await start({ pad: "x".repeat(1_000_000) })).status).toBe(413);
    const answer = await fetch(`${funnel.url}/api/bot/start`);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    const headers = { "content-type": "application/json" };
    const put = await fetch(`${funnel.url}/api/bot/start`, { method: "PUT", headers, body: "{bad" });
    expect(put.status).toBe(405);
  });

  test("OpenAPI says what it takes and answers", async () => {
    const { paths } = await (await fetch(`${funnel.url}/openapi/json`)).json();
    const { requestBody, responses } = paths["/api/bot/start"].post;
    const taken = requestBody.content["application/json"].schema;
    expect(taken.required).toEqual(["bot", "telegram_user_id"]);
    const { schema } = responses[201].content["application/json"];
    expect(Object.keys(schema.properties)).toContain("session");
    const { body } = await start(person());
    expect(Object.keys(body)).toEqual(Object.keys(schema.properties));
  });

  test("without a key, or with a wrong one, it is 401", async () => {
    expect((await start(person(), null)).status).toBe(401);
    expect((await start(person(), "not-the-key")).status).toBe(401);
  });
});
