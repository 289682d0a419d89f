import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eq, inArray } from "drizzle-orm";
import postgres from "postgres";
import { z } from "zod";
import { SCHEMAS } from "../../src/api/schemas.ts";
import type { OutboxStatus } from "../../src/db/vocabulary.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";
import { askSandbox, registerBot } from "../support/sandbox.ts";
import { type SeededVisitor, seedVisitor } from "../support/seed-visitor.ts";
import { commandEnvironment, ponte, ponteAsked, ponteJson } from "./ponte.ts";

const TOKEN = "5501:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const shownPool = z.looseObject({
  link: z.string(),
  bots: z.array(z.looseObject({ username: z.string(), weight: z.int() })),
});

let own: TestDatabase;
let telegram: RunningSandbox;
let environment: Record<string, string>;
let visitor: SeededVisitor;

beforeAll(async () => {
  own = await createTestDatabase();
  telegram = await startSandbox();
  environment = commandEnvironment(own, telegram);
  visitor = await seedVisitor(own.db);
  await registerBot(telegram, { token: TOKEN, username: "Shop_Bot" });
});
afterAll(async () => {
  await telegram.stop();
  await own.dispose();
});

/** What Telegram knows of its bots, as it says it. */
const knownBots = async () => JSON.stringify(await askSandbox(telegram, "GET", "/telegram/bots"));

describe(`ponte on ${testDialect}`, () => {
  test("says where a link that it shows is none for ads, because PUBLIC_URL is not set", async () => {
    const { PUBLIC_URL: _, ...without } = environment;
    const made = await ponte(["pool", "add", "--slug", "here", "--bot", "here_bot"], without);
    expect(made).toMatchObject({ code: 0, err: expect.stringContaining("PUBLIC_URL is not set") });
    expect(made.out).toContain("http://localhost:3000/go/here");
  });

  test("makes a pool with everything the flags can say, and shows it", async () => {
    const made = await ponte(
      [
        ..."pool add --slug summer --pixel-id 123 --access-token - --test-event-code T1".split(" "),
        ..."--gate-param grim=k7Qx2 --block-automated --utmify-pixel-id abc --bot shop_bot:3 --bot @two_bot".split(
          " ",
        ),
        ...[
          "--name",
          "Summer sale",
          "--locale",
          "pt-BR",
          "--auto-continue-ms",
          "1500",
          "--capture-param",
          "src",
        ],
        ...["--send-lead", "--strategy", "round_robin"],
      ],
      environment,
      "EAAB-from-stdin\n",
    );
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toContain("https://go.example.com/go/summer?grim=k7Qx2");
    expect(made.out).not.toContain("EAAB");
    expect(await ponteJson(["pool", "show", "summer"], environment)).toMatchObject({
      slug: "summer",
      name: "Summer sale",
      locale: "pt-BR",
      strategy: "round_robin",
      auto_continue_ms: 1500,
      capture_params: ["src"],
      meta_pixel_id: "123",
      has_access_token: true,
      meta_test_event_code: "T1",
      meta_cloaker_enabled: true,
      meta_cloaker_param_name: "grim",
      meta_cloaker_param_value: "k7Qx2",
      block_automated: true,
      utmify_pixel_id: "abc",
      send_lead: true,
      send_initiate_checkout: false,
      bots: [
        { username: "shop_bot", weight: 3 },
        { username: "two_bot", weight: 1 },
      ],
      link: "https://go.example.com/go/summer?grim=k7Qx2",
    });
    expect((await ponte(["pool", "list"], environment)).out).toContain("@shop_bot:3, @two_bot:1");
  });

  test("changes and clears, and refuses what would not work", async () => {
    const update = (...flags: string[]) => ponteJson(["pool", "update", "summer", ...flags], environment);
    const cleared = shownPool.parse(
      await update("--test-event-code", "", "--gate-param", "", "--no-send-lead"),
    );
    expect(cleared).toMatchObject({
      meta_test_event_code: null,
      meta_cloaker_enabled: false,
      send_lead: false,
      link: "https://go.example.com/go/summer",
    });
    const rebuilt = shownPool.parse(await update("--bot", "two_bot:9"));
    expect(rebuilt.bots).toMatchObject([{ username: "two_bot", weight: 9 }]);
    const refused = await ponte(["pool", "update", "summer", "--access-token", ""], environment);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("--access-token: a pixel needs its Conversions API token");
    expect(refused.err).toContain("(--no-tracking)");
    const again = await ponte(["pool", "add", "--slug", "summer", "--bot", "two_bot"], environment);
    expect(again).toMatchObject({ code: 1, out: "" });
    expect((await ponte(["pool", "show", "nobody"], environment)).code).toBe(1);
  });

  test("says of a token without a pixel that nothing goes to Meta", async () => {
    const flags = ["pool", "add", "--slug", "tokened", "--bot", "two_bot", "--access-token", "EAABx"];
    expect((await ponte(flags, environment)).out).toContain("until --pixel-id says whose the token is");
  });

  test("says that capitals count where no event has the name", async () => {
    const list = ["outbox", "list", "--event-name", "pageview"];
    expect((await ponte(list, environment)).out).toContain("PageView");
    expect((await ponte(["outbox", "list", "--token", "nobody"], environment)).out).toBe("No events.\n");
  });

  test("gives a bot that a pool made its token, verified at Telegram, with its webhook", async () => {
    const added = await ponte(["bot", "add", "--username", "shop_bot", "--token", TOKEN], environment);
    expect(added).toMatchObject({ code: 0, err: "" });
    expect(added.out).not.toContain(TOKEN);
    const bots = z.array(SCHEMAS.Bot).parse(await ponteJson(["bot", "list"], environment));
    const shop = bots.find(({ username }) => username.toLowerCase() === "shop_bot");
    expect(shop).toMatchObject({ has_token: true, telegram_id: "5501" });
    const table = (await ponte(["bot", "list"], environment)).out;
    expect(table).toMatch(/@shop_bot .* good /);
    // Of one without a token nobody asks Telegram.
    expect(table).toMatch(/@two_bot .* not asked /);
    const one = ["bot", "show", "@shop_bot"];
    expect(SCHEMAS.Bot.parse(await ponteJson(one, environment))).toEqual(shop ?? expect.anything());
    expect((await ponte(one, environment)).out).toMatch(/^Health +good$/m);
    expect(await knownBots()).toContain(`https://go.example.com/telegram/${shop?.id}`);
    const wrong = await ponte(["bot", "add", "--username", "other_bot", "--token", TOKEN], environment);
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain("belongs to @Shop_Bot");
    const away = { ...environment, TELEGRAM_API_URL: "http://127.0.0.1:1" };
    const unreachable = await ponte(["bot", "update", "shop_bot", "--token", TOKEN], away);
    expect(unreachable.code).toBe(1);
    expect(unreachable.err).toContain("Telegram did not answer");
    expect(unreachable.err).not.toContain(TOKEN);
  });

  test.each([
    ["bot update shop_bot --token -", "\n"],
    ["bot update shop_bot --token -", ""],
    ["bot update shop_bot --payment-token -", "\n"],
    ["pool update summer --access-token -", "  \n"],
  ])("%s with %j on standard input takes nothing away", async (line, input) => {
    const ran = await ponte(line.split(" "), environment, input);
    expect(ran).toMatchObject({ code: 2, out: "" });
    expect(ran.err).toMatch(/^--((access|payment)-)?token: nothing came on standard input\n/);
    const bots = z.array(SCHEMAS.Bot).parse(await ponteJson(["bot", "list"], environment));
    expect(bots.find(({ username }) => username.toLowerCase() === "shop_bot")?.has_token).toBe(true);
  });

  test("removes a pool and a bot that nothing names, and says what to do about others", async () => {
    const refused = async (...args: string[]) => {
      const ran = await ponte(args, environment);
      expect(ran).toMatchObject({ code: 1, out: "" });
      return ran.err;
    };
    const { pools } = own.db.tables;
    const visited = { totalRedirects: 1 };
    await own.db.transaction((tx) => tx.update(pools).set(visited).where(eq(pools.slug, "summer")));
    expect(await refused("pool", "remove", "summer")).toContain("pool update summer --no-enabled");
    expect(await refused("bot", "remove", "two_bot")).toContain("bot update two_bot --no-enabled");
    await ponteJson(["pool", "add", "--slug", "unused", "--bot", "two_bot"], environment);
    expect(await ponteJson(["pool", "remove", "unused"], environment)).toEqual({
      slug: "unused",
      removed: true,
    });
    expect(await refused("pool", "remove", "unused")).toContain("bun run ponte pool list");

    const removed = await ponteJson(["bot", "remove", "@shop_bot"], environment);
    expect(removed).toEqual({ username: "shop_bot", removed: true, webhook: { kind: "unset" } });
    expect(await knownBots()).not.toContain("go.example.com");
    expect(await refused("bot", "remove", "shop_bot")).toContain("bun run ponte bot list");
  });

  test("lists, opens, retries and discards events", async () => {
    expect(await ponteJson(["outbox", "status"], environment)).toMatchObject({
      events: expect.arrayContaining([
        expect.objectContaining({ event_name: "Purchase", status: "dead", events: 1 }),
      ]),
    });
    const page = SCHEMAS.OutboxPage.parse(
      await ponteJson(["outbox", "list", "--status", "dead"], environment),
    );
    const id = String(page.items[0]?.id);
    expect((await ponte(["outbox", "show", id], environment)).out).toContain(
      `"event_id": "purchase_${visitor.paymentId}"`,
    );
    const dead = ["--status", "dead", "--pool", visitor.slug];
    expect(await ponteJson(["outbox", "retry", ...dead, "--dry-run"], environment)).toMatchObject({
      rows: 1,
      dry_run: true,
    });
    expect(await ponteJson(["outbox", "retry", ...dead, "--yes"], environment)).toMatchObject({
      rows: 1,
      dry_run: false,
    });
    expect(await ponteJson(["outbox", "retry", ...dead, "--yes"], environment)).toMatchObject({ rows: 0 });
    expect(await ponteJson(["outbox", "discard", id, "--yes"], environment)).toMatchObject({ rows: 1 });
    const again = await ponte(["outbox", "discard", id, "999999", "--yes"], environment);
    expect(again).toMatchObject({ code: 1, out: "" });
    expect(again.err).toContain(`Nothing to discard.\n${id}: discarded\n999999: there is no such event\n`);
    expect((await ponte(["outbox", "show", "999999"], environment)).code).toBe(1);
  });

  test.each(["list", "retry --yes", "discard --yes"])(
    "outbox %s says that there is no such pool",
    async (action) => {
      const misspelt = await ponte(["outbox", ...action.split(" "), "--pool", "sumer"], environment);
      expect(misspelt).toMatchObject({ code: 1, out: "" });
      expect(misspelt.err).toContain('There is no pool "sumer". See: bun run ponte pool list');
    },
  );

  test("pauses a route and lets it go again", async () => {
    const paused = await ponte(["outbox", "pause", "123", "--reason", "token leaked"], environment);
    expect(paused).toMatchObject({ code: 0, out: "The meta route 123 is paused: token leaked\n" });
    const mistyped = await ponte(["outbox", "pause", "5501", "--destination", "telegram"], environment);
    expect(mistyped).toMatchObject({ code: 1, out: "" });
    expect(mistyped.err).toContain("bun run ponte bot list");
    const routes = await ponte(["outbox", "routes"], environment);
    expect(routes.out).toContain("token leaked");
    expect((await ponte(["outbox", "resume", "123"], environment)).code).toBe(0);
    const again = await ponte(["outbox", "resume", "123"], environment);
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain("for a bot add --destination telegram");
  });

  test("tells a visitor's story by token, event, Telegram user and payment", async () => {
    const { token, paymentId, telegramUserId } = visitor;
    const bySession = SCHEMAS.Timeline.parse(await ponteJson(["session", "show", token], environment));
    expect(bySession.steps.map(({ kind }) => kind)).toContain("delivered");
    expect(await ponteJson(["session", "show", "--event", `evt_${token}`], environment)).toEqual(bySession);
    expect(await ponteJson(["session", "show", "--telegram-user", telegramUserId], environment)).toEqual([
      bySession,
    ]);
    expect(await ponteJson(["payment", "show", paymentId], environment)).toMatchObject({
      payment: { id: paymentId, amount_minor: 4990 },
      timeline: bySession,
    });
    const shown = await ponte(["session", "show", token], environment);
    expect(shown.out).toMatch(
      /click\b[\s\S]*cookies\b[\s\S]*PageView\b[\s\S]*started\b[\s\S]*Purchase\b[\s\S]*delivered\b/,
    );
    for (const unknown of [
      ["session", "show", "0".repeat(32)],
      ["payment", "show", "nonsense"],
    ]) {
      const refused = await ponte(unknown, environment);
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("bun run ponte outbox list")]);
    }
  });

  test("makes, lists and revokes API keys", async () => {
    const made = SCHEMAS.NewApiKey.parse(
      await ponteJson(["api-key", "add", "--name", "reporting"], environment),
    );
    expect(made.scope).toBe("read");
    expect(made.key).toMatch(/^ponte_/);
    const twin = await ponte(["api-key", "add", "--name", "reporting"], environment);
    expect([twin.code, twin.err]).toEqual([1, expect.stringContaining("called reporting already")]);
    const listed = await ponte(["api-key", "list"], environment);
    expect(listed.out).toContain("reporting");
    expect(listed.out).not.toContain(made.key);
    expect((await ponte(["api-key", "revoke", String(made.id)], environment)).code).toBe(0);
    expect((await ponte(["api-key", "revoke", "999999"], environment)).code).toBe(1);
    expect((await ponte(["api-key", "list"], environment)).out).not.toMatch(/\.\d+Z/);
    const { apiKeys } = own.db.tables;
    await own.db.transaction(async (tx) => {
      for (let n = 0; n < 200; n++) {
        const key = { name: `key ${n}`, keyHash: `hash ${n}`, hint: "hint", scope: "read" as const };
        await tx.insert(apiKeys).values({ ...key, createdAt: new Date() });
      }
    });
    expect(await ponteJson(["api-key", "list"], environment)).toHaveLength(201);
  });

  test("migrate can be repeated", async () => {
    expect((await ponte(["migrate"], environment)).code).toBe(0);
    expect((await ponte(["migrate"], environment)).code).toBe(0);
  });
});

test.each<[action: string, question: string, status: OutboxStatus]>([
  ["retry", "Send 2 events again?", "pending"],
  ["discard", "Discard 2 events?", "discarded"],
])(`outbox %s asks whoever sits there first, on ${testDialect}`, async (action, question, status) => {
  const name = `Asked-${action}`;
  const ids = await addRows(own.db, 2, { status: "dead", eventName: name });
  const args = ["outbox", action, "--event-name", name];
  const { outbox } = own.db.tables;
  const statuses = async () =>
    (await own.db.select({ status: outbox.status }).from(outbox).where(inArray(outbox.id, ids))).map(
      (row) => row.status,
    );
  const no = await ponteAsked(args, environment, false);
  expect(no).toMatchObject({ code: 1, err: ["Nothing was changed."], asked: [question] });
  expect(await statuses()).toEqual(["dead", "dead"]);
  expect(await ponteAsked(args, environment, true)).toMatchObject({ code: 0, asked: [question] });
  expect(await statuses()).toEqual([status, status]);
});

test.skipIf(testDialect === "sqlite")("migrate says which right is missing", async () => {
  const empty = await createTestDatabase({ migrated: false });
  const role = `ponte_app_${crypto.randomUUID().replaceAll("-", "")}`;
  const owner = postgres(empty.url, { max: 1, onnotice: () => undefined });
  await owner.unsafe(`create role ${role} login; revoke create on schema public from public`);
  try {
    const url = new URL(empty.url);
    url.username = role;
    const { code, err } = await ponte(["migrate"], { DATABASE_URL: url.href });
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("GRANT CREATE, USAGE") });
  } finally {
    await owner.unsafe(`drop role ${role}`);
    await owner.end();
    await empty.dispose();
  }
});

describe("ponte sandbox", () => {
  test("needs no database, says where it listens, and stops on SIGTERM", async () => {
    const child = Bun.spawn([process.execPath, "src/cli/main.ts", "sandbox", "--port", "0", "--json"], {
      cwd: `${import.meta.dir}/../..`,
      env: { PATH: process.env.PATH ?? "", DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" },
      stdout: "pipe",
    });
    const reader = child.stdout.getReader();
    let text = "";
    while (!text.includes("}")) {
      const { value, done } = await reader.read();
      if (done) break;
      text += new TextDecoder().decode(value);
    }
    const { url } = z.object({ url: z.url() }).parse(JSON.parse(text));
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });
});
