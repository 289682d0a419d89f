import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { eq, ne } from "drizzle-orm";
import type { BotApi } from "../../src/bots/bot-api.ts";
import { createBotHealth } from "../../src/bots/bot-health.ts";
import { findBot, findBotRow, listBots } from "../../src/bots/bot-view.ts";
import { askBotWebhook } from "../../src/bots/bot-webhook.ts";
import { connectBot, reconnectBot } from "../../src/bots/connect-bot.ts";
import { createBot, deleteBot, updateBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import { createLog } from "../../src/platform/log.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { createPool } from "../../src/pools/manage-pools.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";
import { addFault, registerBot } from "../support/sandbox.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const secrets = createSecrets(randomBytes(32));
const SILENT_MS = 60_000;

let own: TestDatabase;

beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

interface Call {
  readonly token: string;
  readonly url: string;
  readonly secret: string;
}

/** Telegram, as far as bot management goes: knows tokens by name, and remembers the webhooks it was given. */
function telegramKnowing(
  names: Readonly<Record<string, string>>,
  fails: "identify" | "webhook" | null = null,
) {
  const webhooks: Call[] = [];
  const api: BotApi = {
    async identify(token) {
      if (fails === "identify") return { kind: "unreachable", reason: "no route" };
      const username = names[token];
      return username === undefined
        ? { kind: "refused", reason: "Unauthorized" }
        : { kind: "known", telegramId: token.split(":")[0] ?? "", username };
    },
    async setWebhook(token, webhook) {
      if (fails === "webhook") return { kind: "refused", reason: "bad webhook: HTTPS url must be provided" };
      webhooks.push({ token, ...webhook });
      return { kind: "done" };
    },
    async deleteWebhook() {
      return { kind: "done" };
    },
    async webhookInfo() {
      return { kind: "unreachable", reason: "not asked here" };
    },
  };
  return { api, webhooks };
}

function depsWith(telegram: BotApi, publicUrl: string | undefined = "https://go.example.com") {
  return { db: own.db, secrets, now: () => new Date(), telegram, publicUrl };
}

const nobody = telegramKnowing({}).api;

describe(`bots on ${testDialect}`, () => {
  test("a bot without a token is one that lives elsewhere: Telegram is not asked", async () => {
    const result = await createBot(depsWith(nobody), "test", { username: "plain_bot" });
    expect(result).toMatchObject({
      kind: "created",
      bot: { username: "plain_bot", has_token: false, telegram_id: null, enabled: true, pools: [] },
      webhook: { kind: "no_token" },
    });
  });

  test("a bot that is changed or removed leaves all others as they are", async () => {
    const deps = depsWith(nobody);
    for (const username of ["earlier_bot", "changed_bot", "later_on_bot"]) {
      await createBot(deps, "test", { username });
    }
    const { bots } = own.db.tables;
    const others = () => own.db.select().from(bots).where(ne(bots.username, "changed_bot")).orderBy(bots.id);
    const before = await others();
    const change = { locale: "pt-BR", enabled: false } as const;
    expect(await updateBot(deps, "test", "changed_bot", change)).toMatchObject({ kind: "updated" });
    expect(await others()).toEqual(before);
    expect(await deleteBot(deps, "test", "changed_bot")).toMatchObject({ kind: "deleted" });
    expect(await others()).toEqual(before);
  });

  test("a token is verified, sealed, and its webhook set with a secret of its own", async () => {
    const { api, webhooks } = telegramKnowing({ "71:tok": "Sale_Bot" });
    const result = await createBot(depsWith(api), "test", { username: "sale_bot", token: "71:tok" });
    if (result.kind !== "created") throw new Error(result.kind);
    const { bot, webhook } = result;
    expect(bot).toMatchObject({ username: "Sale_Bot", telegram_id: "71", has_token: true });
    expect(JSON.stringify(result)).not.toContain("71:tok");
    expect(webhook).toEqual({ kind: "set", url: `https://go.example.com/telegram/${bot.id}` });
    const row = await findBotRow(own.db, own.db.tables, "SALE_bot");
    expect(secrets.open(row?.token ?? "", "bots.token")).toBe("71:tok");
    const secret = secrets.open(row?.webhookSecret ?? "", "bots.webhook_secret");
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(webhooks).toEqual([{ token: "71:tok", url: `https://go.example.com/telegram/${bot.id}`, secret }]);
  });

  test.each([
    ["a token that Telegram refuses", telegramKnowing({}).api, "invalid"],
    ["another bot's token", telegramKnowing({ "72:tok": "other_bot" }).api, "invalid"],
    ["a Telegram that does not answer", telegramKnowing({}, "identify").api, "telegram_unreachable"],
  ])("%s saves nothing", async (_, api, kind) => {
    const result = await createBot(depsWith(api), "test", { username: "never_bot", token: "72:tok" });
    expect<string>(result.kind).toBe(kind);
    expect(await findBot(own.db, own.db.tables, "never_bot")).toBeNull();
  });

  test("a bot that got a new token and a new name at once takes the token: it is known by its number", async () => {
    const before = telegramKnowing({ "74:old": "stolen_bot" }).api;
    await createBot(depsWith(before), "test", { username: "stolen_bot", token: "74:old" });
    const { api } = telegramKnowing({ "74:new": "stolen_no_more_bot", "75:tok": "quite_another_bot" });
    const change = (token: string) => updateBot(depsWith(api), "test", "stolen_bot", { token });
    expect(await change("75:tok")).toMatchObject({ kind: "invalid" });
    const { bots } = own.db.tables;
    const refused = { healthy: false, healthReason: "Unauthorized" };
    await own.db.transaction((tx) => tx.update(bots).set(refused).where(eq(bots.username, "stolen_bot")));
    // Until its name follows, when its health is checked, nobody is sent to whoever has the old one by now.
    expect(await change("74:new")).toMatchObject({
      kind: "updated",
      bot: {
        username: "stolen_bot",
        healthy: false,
        health_reason: expect.stringContaining("@stolen_no_more_bot"),
      },
    });
    const log = createLog("silent");
    await createBotHealth({ db: own.db, secrets, telegram: api, log, now: () => new Date() }).run();
    expect(await findBot(own.db, own.db.tables, "stolen_no_more_bot")).toMatchObject({
      healthy: true,
      health_reason: null,
    });
  });

  test("a webhook that cannot be set leaves the bot saved and says why; connecting again uses the same secret", async () => {
    const broken = telegramKnowing({ "73:tok": "later_bot" }, "webhook").api;
    const result = await createBot(depsWith(broken), "test", { username: "later_bot", token: "73:tok" });
    expect(result).toMatchObject({
      kind: "created",
      webhook: { kind: "failed", reason: "bad webhook: HTTPS url must be provided" },
    });
    const { api, webhooks } = telegramKnowing({ "73:tok": "later_bot" });
    expect(await connectBot(depsWith(api), "later_bot")).toMatchObject({ kind: "set" });
    const renewed = telegramKnowing({ "73:new": "later_bot" });
    await updateBot(depsWith(renewed.api), "test", "later_bot", { token: "73:new" });
    expect(new Set([...webhooks, ...renewed.webhooks].map(({ secret }) => secret)).size).toBe(1);
    expect(renewed.webhooks[0]?.token).toBe("73:new");
  });

  test("what another APP_SECRET sealed is told and not thrown; a new token brings a new secret", async () => {
    const { api, webhooks } = telegramKnowing({ "76:tok": "moved_bot" });
    const elsewhere = { ...depsWith(api), secrets: createSecrets(randomBytes(32)) };
    await createBot(elsewhere, "test", { username: "moved_bot", token: "76:tok" });
    expect(await connectBot(depsWith(api), "moved_bot")).toMatchObject({ kind: "failed" });
    const row = await findBotRow(own.db, own.db.tables, "moved_bot");
    if (!row) throw new Error("the bot is gone");
    expect(await askBotWebhook(depsWith(api), row)).toMatchObject({ kind: "sealed" });
    const renewed = await updateBot(depsWith(api), "test", "moved_bot", { token: "76:tok" });
    expect(renewed).toMatchObject({ kind: "updated", webhook: { kind: "set" } });
    expect(new Set(webhooks.map(({ secret }) => secret)).size).toBe(2);
  });

  test("setting a webhook again is written down, with who did it", async () => {
    const { api } = telegramKnowing({ "77:tok": "again_bot" });
    await createBot(depsWith(api), "test", { username: "again_bot", token: "77:tok" });
    expect(await reconnectBot(depsWith(api), "somebody", "@AGAIN_bot")).toMatchObject({ kind: "set" });
    expect(await reconnectBot(depsWith(api), "somebody", "no_such_bot")).toEqual({ kind: "not_found" });
    const { auditLog } = own.db.tables;
    const written = await own.db.select().from(auditLog).where(eq(auditLog.actor, "somebody"));
    expect(written).toMatchObject([{ action: "bot.connect", subject: "bot:again_bot" }]);
  });

  test("without PUBLIC_URL a bot is saved and its webhook waits", async () => {
    const { api } = telegramKnowing({ "74:tok": "local_bot" });
    const deps = { ...depsWith(api), publicUrl: undefined };
    expect(await createBot(deps, "test", { username: "local_bot", token: "74:tok" })).toMatchObject({
      kind: "created",
      webhook: { kind: "no_public_url" },
    });
  });

  test("a name is taken in any spelling", async () => {
    await createBot(depsWith(nobody), "test", { username: "Taken_Bot" });
    expect(await createBot(depsWith(nobody), "test", { username: "tAKEN_bOT" })).toEqual({
      kind: "username_taken",
    });
  });

  test("a name is taken in any spelling, also when two operators ask at once", async () => {
    const names = ["race_bot", "Race_Bot", "RACE_BOT", "race_BOT"];
    const results = await Promise.all(
      names.map((username) => createBot(depsWith(nobody), "test", { username })),
    );
    expect(results.map(({ kind }) => kind).sort()).toEqual(["created", ...Array(3).fill("username_taken")]);
  });

  test("the database itself takes no second spelling of a name", async () => {
    await createBot(depsWith(nobody), "test", { username: "Only_Bot" });
    const { bots } = own.db.tables;
    const at = new Date();
    const second = own.db.transaction((tx) =>
      tx
        .insert(bots)
        .values({ username: "only_bot", createdAt: at, updatedAt: at })
        .onConflictDoNothing()
        .returning({ id: bots.id }),
    );
    expect(await second).toEqual([]);
  });

  test("a change touches what it names; a token taken away takes its secret along", async () => {
    const { api } = telegramKnowing({ "75:tok": "edit_bot" });
    await createBot(depsWith(api), "test", { username: "edit_bot", token: "75:tok", welcome: "Hi" });
    const result = await updateBot(depsWith(api), "test", "@edit_bot", { locale: "pt-BR", token: null });
    expect(result).toMatchObject({
      kind: "updated",
      bot: { locale: "pt-BR", welcome: "Hi", has_token: false },
      webhook: { kind: "still_set", reason: "not asked here" },
    });
    expect((await findBotRow(own.db, own.db.tables, "edit_bot"))?.webhookSecret).toBeNull();
    expect(await updateBot(depsWith(api), "test", "edit_bot", { locale: "pt-BR" })).toMatchObject({
      kind: "unchanged",
    });
    expect(await updateBot(depsWith(api), "test", "no_such_bot", {})).toEqual({ kind: "not_found" });
  });

  test("of two changes of the version that both editors saw, one is made; the other gets the bot as it is now", async () => {
    const made = await createBot(depsWith(nobody), "test", { username: "both_bot" });
    if (made.kind !== "created") throw new Error("the bot was not made");
    const save = (welcome: string) => updateBot(depsWith(nobody), "test", made.bot, { welcome });
    const results: object[] = await Promise.all([save("One"), save("Two")]);
    const current = await findBot(own.db, own.db.tables, "both_bot");
    expect(results).toContainEqual({ kind: "overtaken", current });
    expect(results).toContainEqual({ kind: "updated", bot: current, webhook: { kind: "as_before" } });
  });

  test("a bot that a pool names stays; one that nothing names can go", async () => {
    await createPool({ db: own.db, secrets, now: () => new Date() }, "test", {
      slug: "keeper",
      bots: [{ username: "kept_bot" }],
    });
    await createBot(depsWith(nobody), "test", { username: "loose_bot" });
    expect(await findBot(own.db, own.db.tables, "kept_bot")).toMatchObject({ pools: ["keeper"] });
    expect(await deleteBot(depsWith(nobody), "test", "kept_bot")).toEqual({ kind: "in_use" });
    expect(await deleteBot(depsWith(nobody), "test", "loose_bot")).toEqual({
      kind: "deleted",
      webhook: { kind: "not_its_own" },
    });
    expect(await deleteBot(depsWith(nobody), "test", "loose_bot")).toEqual({ kind: "not_found" });
  });

  test("a bot whose first person presses Start while it is removed stays, and the operator hears why", async () => {
    const { db } = own;
    const made = await createBot(depsWith(nobody), "test", { username: "started_bot" });
    if (made.kind !== "created") throw new Error(made.kind);
    const removal = await db.transaction(async (tx) => {
      const at = new Date();
      const person = { botId: made.bot.id, telegramUserId: "5", createdAt: at, updatedAt: at };
      await tx.insert(db.tables.botUsers).values(person);
      const answer = deleteBot(depsWith(nobody), "test", "started_bot");
      await untilHeldUp(db, answer);
      return { answer };
    });
    expect(await removal.answer).toEqual({ kind: "in_use" });
  });

  test("a pool that is made while its bot is removed keeps it, and the operator hears why", async () => {
    const { db } = own;
    await createBot(depsWith(nobody), "test", { username: "a_going_bot" });
    const { pool, removal } = await db.transaction(async (tx) => {
      const at = new Date();
      await tx.insert(db.tables.bots).values({ username: "b_coming_bot", createdAt: at, updatedAt: at });
      const bots = ["a_going_bot", "b_coming_bot"].map((username) => ({ username }));
      const pool = createPool({ db, secrets, now: () => at }, "test", { slug: "crossing", bots });
      // It keeps the first bot, and waits for what becomes of the second.
      await untilHeldUp(db, pool);
      const removal = deleteBot(depsWith(nobody), "test", "a_going_bot");
      await untilHeldUp(db, removal, 2);
      return { pool, removal };
    });
    expect(await pool).toMatchObject({
      kind: "created",
      pool: { bots: [{ username: "a_going_bot" }, { username: "b_coming_bot" }] },
    });
    expect(await removal).toEqual({ kind: "in_use" });
  });

  test("two operators who give a bot its token at once leave it one secret, the one that Telegram was told", async () => {
    const { api, webhooks } = telegramKnowing({ "78:tok": "twice_bot" });
    await createBot(depsWith(nobody), "test", { username: "twice_bot" });
    const give = () => updateBot(depsWith(api), "test", "twice_bot", { token: "78:tok" });
    await Promise.all([give(), give(), give()]);
    const row = await findBotRow(own.db, own.db.tables, "twice_bot");
    const secret = secrets.open(row?.webhookSecret ?? "", "bots.webhook_secret");
    expect(webhooks.map((call) => call.secret)).toEqual([secret, secret, secret]);
  });

  test("a webhook goes with its bot, or with the bot's token; one that leads elsewhere by now stays", async () => {
    const sandbox = await startSandbox();
    const telegram = telegramBotApi(sandbox.url);
    const deps = depsWith(telegram);
    const token = "700001:AAF-a_well_formed_token_of_a_test_bot";
    const add = async (username: string) => {
      await registerBot(sandbox, { token, username });
      const made = await createBot(deps, "test", { username, token });
      if (made.kind !== "created") throw new Error(made.kind);
      return `https://go.example.com/telegram/${made.bot.id}`;
    };
    const urlNow = async () => {
      const info = await telegram.webhookInfo(token);
      return info.kind === "known" ? info.url : info.reason;
    };
    const remove = async (username: string) => {
      const removed = await deleteBot(deps, "test", username);
      return removed.kind === "deleted" ? removed.webhook.kind : removed.kind;
    };

    await add("before_bot");
    // Renamed at Telegram, and added by its new name.
    const url = await add("after_bot");
    expect(await remove("before_bot")).toBe("not_its_own");
    expect(await urlNow()).toBe(url);
    expect(await remove("after_bot")).toBe("unset");
    expect(await urlNow()).toBe("");

    await add("moved_away_bot");
    await telegram.setWebhook(token, { url: "https://elsewhere.example.com/hook", secret: "other" });
    expect(await remove("moved_away_bot")).toBe("not_its_own");
    expect(await urlNow()).toBe("https://elsewhere.example.com/hook");

    const kept = await add("kept_away_bot");
    const unaware = { ...deps, publicUrl: undefined };
    expect(await deleteBot(unaware, "test", "kept_away_bot")).toEqual({
      kind: "deleted",
      webhook: { kind: "failed", reason: expect.stringContaining(`${kept}, and PUBLIC_URL is not set`) },
    });
    expect(await urlNow()).toBe(kept);

    const given = await add("given_away_bot");
    expect(await urlNow()).toBe(given);
    const giveAway = async () => {
      const result = await updateBot(deps, "test", "given_away_bot", { token: null });
      return result.kind === "updated" ? result.webhook : result.kind;
    };
    expect(await giveAway()).toEqual({ kind: "no_token" });
    expect(await urlNow()).toBe("");
    await sandbox.stop();
  });

  test.each([
    ["is silent", { mode: "latency", ms: SILENT_MS }, "Telegram did not answer within 3000 ms"],
    ["is in trouble", { mode: "500" }, "Internal Server Error"],
    ["hangs up", { mode: "reset" }, "getWebhookInfo"],
  ])("a bot is removed though Telegram %s, and soon", async (_, fault, reason) => {
    const sandbox = await startSandbox();
    const deps = depsWith(telegramBotApi(sandbox.url));
    const token = "700002:AAF-a_well_formed_token_of_a_test_bot";
    const made = await createBot(deps, "test", { username: "sandbox_700002_bot", token });
    expect(made.kind).toBe("created");
    await addFault(sandbox, "telegram", { ...fault, method: "getWebhookInfo" });
    const startedAt = performance.now();
    expect(await deleteBot(deps, "test", "sandbox_700002_bot")).toEqual({
      kind: "deleted",
      webhook: { kind: "failed", reason: expect.stringContaining(reason) },
    });
    // Before a silent one would have said anything.
    expect(performance.now() - startedAt).toBeLessThan(SILENT_MS);
    expect(await findBot(own.db, own.db.tables, "sandbox_700002_bot")).toBeNull();
    await sandbox.stop();
  });

  test("the list comes in pages", async () => {
    const first = await listBots(own.db, own.db.tables, { limit: 2 });
    expect(first.items).toHaveLength(2);
    const second = await listBots(own.db, own.db.tables, { limit: 2, cursor: Number(first.next_cursor) });
    expect(second.items[0]?.id).toBeGreaterThan(first.items[1]?.id ?? Number.POSITIVE_INFINITY);
  });
});

describe(`bots of an older version on ${testDialect}`, () => {
  test("that are one at Telegram: one stays, in the pools of all, and every link leads on", async () => {
    const old = await createTestDatabase({ migrated: false });
    await migrateUntil("bot_names", old.url);
    const { pools, bots, poolBots } = old.db.tables;
    const times = { createdAt: new Date(), updatedAt: new Date() };
    const bot = (username: string, row: Partial<typeof bots.$inferInsert> = {}) => ({
      ...{ username, ...row },
      ...times,
    });
    const ids = await old.db.transaction(async (tx) => {
      const made = await tx
        .insert(bots)
        .values([
          bot("a_rather_long_named_bot", { enabled: false, token: "sealed" }),
          bot("Shop_Bot"),
          bot("shop_bot", { token: "sealed" }),
          bot("SHOP_BOT"),
          bot("A_Rather_Long_Named_Bot"),
          bot("other_bot"),
        ])
        .returning({ id: bots.id });
      const pool = (slug: string) => ({ slug, name: slug, captureParams: [], ...times });
      await tx.insert(pools).values([pool("one"), pool("two"), pool("three")]);
      return made.map(({ id }) => id);
    });
    const [off = 0, first = 0, withToken = 0, third = 0, on = 0, other = 0] = ids;
    const member = (poolId: number, botId: number, weight = 1, enabled = true) => ({
      ...{ poolId, botId, weight, enabled },
    });
    const memberships = [
      ...[member(1, first, 3, false), member(1, third, 5), member(1, other)],
      ...[member(2, first, 7), member(2, withToken, 9)],
      ...[member(3, off), member(3, on, 2)],
    ];
    await old.db.transaction((tx) => tx.insert(poolBots).values(memberships));

    await old.db.migrate();
    const names = await old.db.select({ username: bots.username }).from(bots).orderBy(bots.id);
    expect(names.map(({ username }) => username)).toEqual([
      `a_rather_long_na_double_${off}`,
      `Shop_Bot_double_${first}`,
      "shop_bot",
      `SHOP_BOT_double_${third}`,
      "A_Rather_Long_Named_Bot",
      "other_bot",
    ]);
    const { poolId, botId, weight, enabled } = poolBots;
    expect(
      await old.db.select({ poolId, botId, weight, enabled }).from(poolBots).orderBy(poolId, poolBots.id),
    ).toEqual([member(1, withToken, 5), member(1, other), member(2, withToken, 7), member(3, on)]);
    await old.dispose();
  });
});
