import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type BotView, findBot, findBotRow } from "../../src/bots/bot-view.ts";
import { useSandbox } from "../sandbox/client.ts";
import { createTestApp, type TestApp } from "../support/app.ts";
import { lastAudit } from "../support/audit.ts";
import { testDialect } from "../support/database.ts";
import { errorsIn, type FormValues, inlineScripts } from "../support/html.ts";
import { logIn, OPERATOR_PASSWORD, type TestOperator } from "../support/operator.ts";
import { addPool } from "../support/pools.ts";

const EVIL = `"><script>alert(1)</script>`;
const secretPart = "A".repeat(35);
const PAYMENT_TOKEN = "284685063:TEST:NThlNTAy";

const telegram = useSandbox();
let own: TestApp;
let operator: TestOperator;
beforeAll(async () => {
  own = await createTestApp({
    OPERATOR_PASSWORD,
    PUBLIC_URL: "http://localhost",
    TELEGRAM_API_URL: telegram.sandbox().url,
  });
  operator = await logIn(own);
});
afterAll(() => own.dispose());

const see = (path: string) => operator.see(path);

async function botOf(username: string): Promise<BotView> {
  const bot = await findBot(own.db, own.db.tables, username);
  if (!bot) throw new Error(`there is no bot ${username}`);
  return bot;
}

const formOn = (path: string) => operator.formOn(path);

/** A token that Telegram's stand-in knows as this bot's. */
async function tokenOf(username: string, id: number): Promise<string> {
  const token = `${id}:${secretPart}`;
  await telegram.call("POST", "/telegram/bots", { token, username });
  return token;
}

async function makeBot(username: string, fields: FormValues = {}) {
  const form = await formOn("/ops/bots/new");
  const answer = await operator.post("/ops/bots/new", { ...form, username, ...fields });
  expect(answer.status).toBe(303);
  const bot = await botOf(username);
  return { bot, path: `/ops/bots/${bot.id}` };
}

describe(`the console's bots on ${testDialect}`, () => {
  test("a bot is made with its token, which is verified, sealed and never shown; its webhook is set", async () => {
    const token = await tokenOf("Made_Bot", 501);
    const { bot, path } = await makeBot("@made_bot", {
      token,
      payment_token: PAYMENT_TOKEN,
      welcome: "Oi, {name}!\r\nEscolha:",
      locale: "pt-BR",
    });
    expect(bot).toMatchObject({
      username: "Made_Bot",
      telegram_id: "501",
      has_token: true,
      has_payment_token: true,
      welcome: "Oi, {name}!\nEscolha:",
      locale: "pt-BR",
      enabled: true,
    });
    const row = await findBotRow(own.db, own.db.tables, "made_bot");
    expect(own.deps.secrets.open(row?.token ?? "", "bots.token")).toBe(token);
    expect(own.deps.secrets.open(row?.paymentToken ?? "", "bots.payment_token")).toBe(PAYMENT_TOKEN);
    const html = await see(path);
    expect(html).toContain("Telegram sends its updates here");
    for (const secret of [token, PAYMENT_TOKEN]) expect(html).not.toContain(secret);
    const info = await telegram.call("POST", `/bot${token}/getWebhookInfo`, {});
    expect(info.json.result.url).toBe(`http://localhost/telegram/${bot.id}`);
    const entry = await lastAudit(own.db);
    expect(entry).toMatchObject({ actor: "console", action: "bot.create", subject: "bot:Made_Bot" });
    expect(JSON.stringify(entry)).not.toContain(secretPart);
    expect(await see("/ops/bots")).toContain(`href="${path}"`);
  });

  test("the list says who is sent visitors, by which pools, and how many people came", async () => {
    const { pool, bots } = await addPool(own.db, { slug: "sends" }, [
      { username: "busy_bot" },
      { username: "ill_bot", healthy: false },
    ]);
    const { botUsers } = own.db.tables;
    const person = { botId: bots[0]?.id ?? 0, createdAt: new Date(), updatedAt: new Date() };
    const people = Array.from({ length: 1_234 }, (_, i) => ({ ...person, telegramUserId: String(i) }));
    await own.db.transaction((tx) => tx.insert(botUsers).values(people));
    const html = await see("/ops/bots");
    for (const text of ["1,234", "unhealthy", "sends"]) expect(html).toContain(text);
    const page = await see(`/ops/bots/${bots[1]?.id}`);
    expect(page).toContain("No visitor is sent to this bot");
    expect(page).toContain(`href="/ops/pools/${pool.id}"`);
  });

  test("a page that is saved as it is changes nothing, and tokens that are not typed stay", async () => {
    const token = await tokenOf("kept_bot", 502);
    const { bot: before, path } = await makeBot("kept_bot", {
      token,
      payment_token: PAYMENT_TOKEN,
      welcome: "  <b>Hi</b> & hello\r\n\r\n  you  ",
    });
    await operator.post(path, await formOn(path));
    expect(await botOf("kept_bot")).toEqual(before);
    expect(await see(path)).toContain("Nothing was different.");

    const renewed = `502:${"B".repeat(35)}`;
    await telegram.call("POST", "/telegram/bots", { token: renewed, username: "kept_bot" });
    await operator.post(path, { ...(await formOn(path)), welcome: "Hello", token: renewed });
    expect(await botOf("kept_bot")).toMatchObject({ welcome: "Hello", has_payment_token: true });
    expect(await lastAudit(own.db)).toMatchObject({
      action: "bot.update",
      before: { welcome: "<b>Hi</b> & hello\n\n  you" },
      after: { welcome: "Hello", token: "[changed]" },
    });

    const { enabled: _ticked, ...off } = await formOn(path);
    await operator.post(path, { ...off, removes_token: "1", removes_payment_token: "1" });
    expect(await botOf("kept_bot")).toMatchObject({
      enabled: false,
      has_token: false,
      has_payment_token: false,
    });
  });

  test("what is wrong stands beside its field, what was typed stays, and nothing is saved", async () => {
    const { path } = await makeBot("refused_bot");
    const before = await botOf("refused_bot");
    const answer = await operator.post(path, {
      ...(await formOn(path)),
      welcome: `${EVIL}\u0007`,
      locale: "xx",
      token: EVIL,
      payment_token: "with spaces",
    });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(Object.keys(errorsIn(html)).sort()).toEqual(["locale", "payment_token", "token", "welcome"]);
    expect(html).toContain("&lt;script");
    expect(inlineScripts(html)).toEqual([]);
    expect(html).not.toContain("with spaces");
    expect(await botOf("refused_bot")).toEqual(before);

    for (const [fields, error] of [
      [{ username: "" }, "5 to 32 letters"],
      [{ username: "REFUSED_bot" }, "there is a bot of this name already"],
      [{ username: "new_bot", token: "503:short" }, "Telegram refuses this token"],
      [{ username: "new_bot", token: await tokenOf("other_bot", 504) }, "belongs to @other_bot"],
    ] as const) {
      const refused = await operator.post("/ops/bots/new", fields);
      expect(refused.status).toBe(400);
      expect(Object.values(errorsIn(await refused.text())).join()).toContain(error);
    }
    expect(await findBot(own.db, own.db.tables, "new_bot")).toBeNull();
  });

  test("a page that was opened before somebody else's change does not undo it", async () => {
    const { path } = await makeBot("twice_bot");
    const [mine, theirs] = [await formOn(path), await formOn(path)];
    await operator.post(path, { ...theirs, locale: "en" });
    const answer = await operator.post(path, { ...mine, welcome: "Mine" });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(html).toContain("was changed since this page was opened");
    expect(html).toContain("Mine</textarea>");
    expect(await botOf("twice_bot")).toMatchObject({ locale: "en", welcome: null });
  });

  test("Telegram is asked where the updates go, and told again", async () => {
    const token = await tokenOf("asked_bot", 505);
    const { bot, path } = await makeBot("asked_bot", { token });
    const cell = () => see(`${path}/webhook`);
    expect(await cell()).toContain("connected");
    await telegram.call("POST", `/bot${token}/setWebhook`, { url: "https://elsewhere.example/hook" });
    expect(await cell()).toContain("elsewhere");
    const asked = await (await operator.post(`${path}/check-webhook`)).text();
    expect(asked).toContain("https://elsewhere.example/hook");
    expect(asked).not.toContain(token);
    expect((await operator.post(`${path}/connect`)).headers.get("location")).toBe(`${path}#top`);
    expect(await cell()).toContain("connected");
    expect(await lastAudit(own.db)).toMatchObject({ actor: "console", action: "bot.connect" });
    expect((await operator.get(`${path}/check-webhook`)).headers.get("location")).toBe(path);

    const { path: plain } = await makeBot("plain_bot");
    await operator.post(`${plain}/connect`);
    expect(await see(plain)).toContain("its updates are not ours");
    await telegram.call("POST", "/telegram/bots", {
      token: `505:${"C".repeat(35)}`,
      username: bot.username,
    });
    expect(await cell()).toContain("refused");
  });

  test("a webhook that cannot be set is said aloud, and the bot is made all the same", async () => {
    const local = await createTestApp({ OPERATOR_PASSWORD, TELEGRAM_API_URL: telegram.sandbox().url });
    const browser = await logIn(local);
    const token = await tokenOf("local_bot", 506);
    const answer = await browser.post("/ops/bots/new", { username: "local_bot", token, enabled: "1" });
    const html = await (await browser.get(answer.headers.get("location") ?? "")).text();
    expect(html).toContain('class="banner warn"');
    expect(html).toContain("set PUBLIC_URL first");
    await local.dispose();
  });

  test("only a bot that nothing names is removed", async () => {
    const { bots } = await addPool(own.db, { slug: "keeps" }, [{ username: "named_bot" }]);
    const named = `/ops/bots/${bots[0]?.id}`;
    await operator.post(`${named}/remove`);
    expect(await see(named)).toContain("It was not removed");
    const { path } = await makeBot("loose_bot");
    expect((await operator.post(`${path}/remove`)).headers.get("location")).toBe("/ops/bots");
    expect((await operator.get(path)).status).toBe(404);
    expect(await lastAudit(own.db)).toMatchObject({ action: "bot.delete", subject: "bot:loose_bot" });
  });

  test("a webhook that cannot be taken back is said aloud, and the bot is removed all the same", async () => {
    const { path } = await makeBot("stuck_bot", { token: await tokenOf("stuck_bot", 507) });
    await telegram.call("POST", "/telegram/faults", { mode: "500", method: "deleteWebhook" });
    const answer = await operator.post(`${path}/remove`);
    const html = await see(answer.headers.get("location") ?? "");
    expect(html).toContain('class="banner warn"');
    expect(html).toContain("Telegram may still have its webhook");
    expect((await operator.get(path)).status).toBe(404);
  });

  test("names are text, forged forms change nothing, and no address breaks the pages", async () => {
    const { bots } = await addPool(own.db, { slug: EVIL }, [{ username: EVIL, healthy: false }]);
    const path = `/ops/bots/${bots[0]?.id}`;
    for (const page of ["/ops/bots", path]) {
      const html = await see(page);
      expect(html).toContain("&lt;script");
      expect(inlineScripts(html)).toEqual([]);
    }
    const cookie = [...operator.cookies].map((pair) => pair.join("=")).join("; ");
    for (const action of ["", "/remove", "/connect", "/check-webhook"]) {
      const forged = await own.request(path + action, {
        method: "POST",
        body: new URLSearchParams({ welcome: "Forged" }),
        headers: { cookie, origin: "http://bridge.example.com" },
      });
      expect(forged.status).toBe(403);
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: "binary" }), fc.double().map(String)), async (given) => {
        const text = encodeURIComponent(given.toWellFormed());
        expect((await operator.get(`/ops/bots?cursor=${text}`)).status).toBe(200);
        expect((await operator.get(`${path}?offers=${text}`)).status).toBe(200);
        for (const action of ["", "/webhook", "/offers/new"])
          expect((await operator.get(`/ops/bots/x${text}${action}`)).status).toBe(404);
        for (const action of ["", "/remove", "/connect", "/check-webhook", "/offers/new"])
          expect((await operator.post(`/ops/bots/x${text}${action}`)).status).toBe(404);
      }),
      { numRuns: 15 },
    );
  });
});
