import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { newId } from "../../src/platform/ids.ts";
import { testDialect } from "../support/database.ts";
import { makeApiKey } from "../support/keys.ts";
import { addFault, registerBot } from "../support/sandbox.ts";
import { startToken } from "../support/start-token.ts";
import { API_KEY, type Observed, PIXEL, startObserved, WEBHOOK_SECRET } from "./observed.ts";

const PASSWORD = `a-long-sentence-${randomBytes(6).toString("hex")}`;
const APP_SECRET = randomBytes(32).toString("base64");
const META_TOKEN = `EAA${randomBytes(40).toString("hex")}`;
const BOT_TOKEN = `770001:${randomBytes(20).toString("hex")}`;
const WRONG_BOT_TOKEN = `770002:${randomBytes(4).toString("hex")}`;
const MAIL = "ana.silva@example.com";

let own: Observed;
let storedKey: string;
/** Whatever anybody outside got to see: bodies and headers of every answer. */
const seen: { readonly what: string; readonly text: string }[] = [];

beforeAll(async () => {
  own = await startObserved({ OPERATOR_PASSWORD: PASSWORD, APP_SECRET, PAGEVIEW_HOLD_MS: "0" });
  ({ key: storedKey } = await makeApiKey(own.deps, "shop", "write"));
});
afterAll(() => own.dispose());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${own.base}${path}`, {
    method,
    redirect: "manual",
    headers: { "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  seen.push({ what: `${method} ${path}`, text: `${JSON.stringify([...response.headers])} ${text}` });
  return { status: response.status, text };
}

const operator = (method: string, path: string, body?: unknown) =>
  ask(method, path, body, { authorization: `Bearer ${storedKey}` });

describe(`secrets on ${testDialect}`, () => {
  test("an operator sets everything up, with mistakes", async () => {
    const bot = { username: "shop_bot", token: BOT_TOKEN };
    await registerBot(own.sandbox, bot);
    expect((await operator("POST", "/api/bots", bot)).status).toBe(201);
    expect((await operator("POST", "/api/bots", { ...bot, token: WRONG_BOT_TOKEN })).status).toBeGreaterThan(
      399,
    );
    const pool = {
      slug: "open",
      name: "Open",
      meta_pixel_id: PIXEL,
      meta_access_token: META_TOKEN,
      bots: [{ username: "shop_bot" }],
    };
    expect((await operator("POST", "/api/pools", pool)).status).toBe(201);
    expect((await operator("POST", "/api/pools", { ...pool, surprise: META_TOKEN })).status).toBe(400);
    expect((await operator("POST", "/api/pools", JSON.stringify(pool).slice(0, -1))).status).toBe(400);
    for (const path of ["/api/pools", "/api/pools/open", "/api/bots", "/api/bots/shop_bot", "/api/keys"]) {
      await operator("GET", path);
    }
    await ask("GET", "/api/pools", undefined, { authorization: `Bearer ${API_KEY}x` });
    await own.deps.pools.refresh();
  });

  test("a visitor goes the whole way", async () => {
    const page = await own.go("/go/open?fbclid=IwAR0abc");
    const html = await page.text();
    seen.push({ what: "page", text: `${JSON.stringify([...page.headers])} ${html}` });
    const token = startToken(html);
    await ask("POST", "/api/tracking/cookies", { tracking_token: token, _fbp: "fb.1.1700000000000.123456" });
    await ask("POST", "/api/tracking/cookies", `{"password": "${PASSWORD}"`);
    const customer = { email: MAIL, first_name: "Ana" };
    const paid = {
      provider_ref: newId(),
      status: "paid",
      amount_minor: 4990,
      currency: "BRL",
      tracking_token: token,
      customer,
    };
    for (const answer of [await own.pay(paid), await own.pay(paid, "some-other-secret-0123456789")]) {
      seen.push({ what: "webhook", text: await answer.text() });
      expect([200, 401]).toContain(answer.status);
    }
    const update = {
      update_id: 1,
      message: {
        message_id: 1,
        date: 1,
        chat: { id: 5, type: "private" },
        from: { id: 5, is_bot: false, first_name: "Ana" },
        text: `/start ${token}`,
      },
    };
    const [bot] = await own.db.select().from(own.db.tables.bots);
    const secret = own.deps.secrets.open(bot?.webhookSecret ?? "", "bots.webhook_secret");
    await ask("POST", `/telegram/${bot?.id}`, update, { "x-telegram-bot-api-secret-token": secret });
    await ask("POST", `/telegram/${bot?.id}`, update, { "x-telegram-bot-api-secret-token": `${secret}x` });
    await operator("GET", `/api/sessions/${token}`);
  });

  test("Meta and Telegram fail in every way, and repeat our secrets at us", async () => {
    await addFault(own.sandbox, "meta", {
      mode: "graph",
      status: 400,
      code: 190,
      times: 1,
      message: `Malformed access token ${META_TOKEN}`,
    });
    await own.dispatcher.drain();
    const route = { destination: "meta", route: PIXEL };
    expect((await operator("POST", "/api/outbox/routes/resume", route)).status).toBe(200);
    for (const mode of ["500", "reset", "garbage"]) {
      await addFault(own.sandbox, "meta", { mode, times: 1 });
      await own.go("/go/open");
      await own.dispatcher.drain();
    }
    await addFault(own.sandbox, "telegram", { mode: "500", times: 50 });
    const other = { username: "other_bot", token: BOT_TOKEN.replace("770001", "770003") };
    expect((await operator("POST", "/api/bots", other)).status).toBe(503);
    await own.dispatcher.drain();
    for (const path of ["/api/outbox", "/api/outbox/status"])
      expect((await operator("GET", path)).status).toBe(200);
    const { outbox } = own.db.tables;
    for (const { id } of await own.db.select({ id: outbox.id }).from(outbox))
      expect((await operator("GET", `/api/outbox/${id}`)).status).toBe(200);
  });

  test("the operators' side is looked at, and our own code fails", async () => {
    for (const [path, status] of [
      ["/readyz", 503],
      ["/healthz", 200],
      ["/openapi", 200],
      ["/openapi/json", 200],
      ["/ops", 303],
      ["/ops/login", 200],
      ["/none", 404],
      ["/%E0%A4%A", 404],
    ] as const) {
      expect((await ask("GET", path)).status, path).toBe(status);
    }
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await ask("POST", "/ops/login", `password=${PASSWORD}`, form)).status).toBe(303);
    const key = { authorization: `Bearer ${API_KEY}` };
    expect((await ask("GET", "/metrics", undefined, key)).status).toBe(200);
    // What a careless line of ours, or a driver's error, would say.
    const error = new Error(
      `connect to postgres://ponte:${PASSWORD}@db failed; Bearer ${storedKey}; ${BOT_TOKEN}`,
    );
    own.deps.log.error(
      { error, request: { headers: { authorization: `Bearer ${API_KEY}` } }, key: APP_SECRET },
      META_TOKEN,
    );
  });

  test("and nobody has seen a secret: in no log line, no answer, no page, no metric, no kept raw response", async () => {
    const [bot] = await own.db.select().from(own.db.tables.bots);
    const attempts = await own.db.select().from(own.db.tables.outboxAttempts);
    const secrets = {
      PASSWORD,
      APP_SECRET,
      API_KEY,
      WEBHOOK_SECRET,
      META_TOKEN,
      BOT_TOKEN,
      MAIL,
      storedKey,
      telegramSecret: own.deps.secrets.open(bot?.webhookSecret ?? "", "bots.webhook_secret"),
    };
    for (const [name, secret] of Object.entries(secrets))
      expect(`${name} ${secret.length > 15}`).toBe(`${name} true`);
    const places = [
      ...seen,
      ...own.logLines.map((line) => ({ what: `log: ${line.msg}`, text: JSON.stringify(line) })),
      ...attempts.map((attempt) => ({ what: "outbox_attempts", text: JSON.stringify(attempt) })),
    ];
    const leaks = places.flatMap(({ what, text }) =>
      Object.entries(secrets).flatMap(([name, secret]) =>
        text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))
          ? [`${name} in ${what}`]
          : [],
      ),
    );
    expect(leaks).toEqual([]);
    // All this would be worth nothing if the secrets had not been in use, or the lines not been there.
    const sent = own.sandbox.requests
      .items()
      .map((request) => JSON.stringify(request))
      .join();
    expect(sent).toContain("/events");
    const messages = own.logLines.map(({ msg }) => msg);
    expect(messages).toContain("[META RAW RESPONSE]");
    expect(messages).toContain("a webhook was refused");
    expect(JSON.stringify(own.logLines)).toContain("[redacted]");
    expect(attempts.map(({ outcome }) => outcome)).toContain("credential");
    expect(attempts.map(({ outcome }) => outcome)).toContain("transient");
  });
});
