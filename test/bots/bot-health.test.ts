import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import type { Identity } from "../../src/bots/bot-api.ts";
import { createBotHealth } from "../../src/bots/bot-health.ts";
import { updateBot } from "../../src/bots/manage-bots.ts";
import { telegramBotApi } from "../../src/bots/telegram-bot-api.ts";
import { openDatabase } from "../../src/db/open.ts";
import { createLog } from "../../src/platform/log.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { loadPools } from "../../src/pools/load-pools.ts";
import { updatePool } from "../../src/pools/manage-pools.ts";
import { openPoolCache } from "../../src/pools/pool-cache.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";
import { addFault, registerBot } from "../support/sandbox.ts";
import { until } from "../support/until.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

const secrets = createSecrets(new Uint8Array(32).fill(9));
const known = (username: string): Identity => ({ kind: "known", telegramId: "7", username });
const REFUSED: Identity = { kind: "refused", reason: "Unauthorized" };
const AWAY: Identity = { kind: "unreachable", reason: "ECONNREFUSED" };

let own: TestDatabase;
/** What Telegram says of a token; of any other that it knows it. */
let answers: Map<string, Identity>;
let asked: string[];
let logLines: string[];
let ids: Record<"a" | "b" | "elsewhere", number>;
beforeAll(async () => {
  own = await createTestDatabase();
  const { bots } = await addPool(own.db, { slug: "shop" }, [
    { username: "a_bot" },
    { username: "b_bot" },
    { username: "elsewhere_bot" },
  ]);
  const [a, b, elsewhere] = bots.map(({ id }) => id);
  ids = { a: a ?? 0, b: b ?? 0, elsewhere: elsewhere ?? 0 };
});
afterAll(() => own.dispose());

beforeEach(async () => {
  answers = new Map();
  asked = [];
  logLines = [];
  const { bots } = own.db.tables;
  await own.db.transaction(async (tx) => {
    for (const key of ["a", "b"] as const) {
      const token = secrets.seal(`token-${key}`, "bots.token");
      const columns = { token, healthy: true, healthReason: null, enabled: true };
      await tx.update(bots).set(columns).where(eq(bots.id, ids[key]));
    }
  });
});

async function identify(token: string): Promise<Identity> {
  asked.push(token);
  return answers.get(token) ?? known(token.replace("token-", "").concat("_bot"));
}

function health(telegram = { identify }, db = own.db) {
  return createBotHealth({
    db,
    secrets,
    now: () => new Date(),
    log: createLog("info", { write: (line: string) => void logLines.push(line) }),
    telegram,
  });
}

async function bot(id: number) {
  const { bots } = own.db.tables;
  const [row] = await own.db.select().from(bots).where(eq(bots.id, id));
  return row;
}

async function chosen() {
  const [pool] = await loadPools(own.db);
  return pool?.bots.map(({ username }) => username);
}

describe(`the bots' health on ${testDialect}`, () => {
  test("a bot whose token is refused twice in a row gets no more visitors, and the operator is told once", async () => {
    answers.set("token-a", REFUSED);
    const { run: check } = health();
    await check();
    expect(await chosen()).toEqual(["a_bot", "b_bot", "elsewhere_bot"]);
    await check();
    await check();
    expect(await chosen()).toEqual(["b_bot", "elsewhere_bot"]);
    expect(await bot(ids.a)).toMatchObject({ healthy: false, healthReason: "Unauthorized" });
    const told = logLines.filter((line) => line.includes("refuses the bot's token"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("ponte bot update a_bot --token -");
    expect(told[0]).not.toContain("token-a");
    const { auditLog } = own.db.tables;
    const entries = await own.db.select().from(auditLog).where(eq(auditLog.action, "bot.unhealthy"));
    expect(entries).toMatchObject([{ subject: "bot:a_bot", after: { health_reason: "Unauthorized" } }]);
  });

  test("it gets them again when Telegram takes the token again", async () => {
    answers.set("token-a", REFUSED);
    const { run: check } = health();
    await check();
    await check();
    answers.delete("token-a");
    await check();
    expect(await bot(ids.a)).toMatchObject({ healthy: true, healthReason: null });
    expect(await chosen()).toContain("a_bot");
  });

  test("Telegram being away, or refusing once in between, takes no bot's visitors", async () => {
    const { run: check } = health();
    for (const answer of [AWAY, AWAY, REFUSED, known("b_bot"), REFUSED, AWAY]) {
      answers.set("token-b", answer);
      await check();
    }
    expect(await bot(ids.b)).toMatchObject({ healthy: true });
    answers.set("token-b", REFUSED);
    await check();
    expect(await bot(ids.b)).toMatchObject({ healthy: false });
  });

  test("bots without a token and disabled ones are not asked about", async () => {
    const { bots } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(bots).set({ enabled: false }).where(eq(bots.id, ids.b));
    });
    await health().run();
    expect(asked).toEqual(["token-a"]);
    expect(await bot(ids.elsewhere)).toMatchObject({ healthy: true });
  });

  test("a token that was changed while Telegram was asked is not judged by the old one's answer", async () => {
    const { bots, pools } = own.db.tables;
    let answer: Identity = REFUSED;
    const { run: check } = health({
      identify: async (token) => {
        if (token === "token-b") return AWAY;
        await own.db.transaction(async (tx) => {
          const token = secrets.seal("token-new", "bots.token");
          await tx.update(bots).set({ token }).where(eq(bots.id, ids.a));
        });
        return answer;
      },
    });
    const stamps = () => own.db.select({ at: pools.updatedAt }).from(pools);
    const before = await stamps();
    await check();
    await check();
    await check();
    expect(await bot(ids.a)).toMatchObject({ healthy: true });
    answer = known("whose_bot");
    await check();
    expect(await bot(ids.a)).toMatchObject({ username: "a_bot" });
    // Whoever has the pool's page open may save it.
    expect(await stamps()).toEqual(before);
  });

  test("a bot that is given away, its token taken out, is nobody's to judge any more", async () => {
    answers.set("token-a", REFUSED);
    const { run: check } = health();
    await check();
    await check();
    const deps = {
      db: own.db,
      secrets,
      now: () => new Date(),
      telegram: telegramBotApi("http://127.0.0.1:9"),
      publicUrl: undefined,
    };
    await updateBot(deps, "test", "a_bot", { token: null });
    expect(await bot(ids.a)).toMatchObject({ healthy: true, healthReason: null });
  });

  test("a database or a key that fails is logged, and the next minute tries again", async () => {
    const { bots } = own.db.tables;
    await own.db.transaction(async (tx) => {
      await tx.update(bots).set({ token: "v1.of-another-key" }).where(eq(bots.id, ids.a));
    });
    await health().run();
    expect(asked).toEqual(["token-b"]);
    const broken = createBotHealth({
      db: {
        ...own.db,
        select: () => {
          throw new Error("away");
        },
      },
      secrets,
      now: () => new Date(),
      log: createLog("warn", { write: (line: string) => void logLines.push(line) }),
      telegram: { identify: async () => known("a_bot") },
    });
    broken.start();
    await until(() => logLines.join().includes("could not be checked"));
    await broken.stop();
  });

  test("a bot that was renamed at Telegram is renamed, once, though two processes ask; every one's visitors go there", async () => {
    const sandbox = await startSandbox();
    const place = await createTestDatabase();
    const dbs = [place.db, await openDatabase({ url: place.url })] as const;
    const token = "700001:AAF-a_well_formed_token_of_a_test_bot";
    const { bots: tables, auditLog } = place.db.tables;
    const { bots } = await addPool(place.db, { slug: "shop" }, [{ username: "old_bot" }]);
    const sealed = secrets.seal(token, "bots.token");
    await place.db.transaction((tx) =>
      tx
        .update(tables)
        .set({ token: sealed })
        .where(eq(tables.id, bots[0]?.id ?? 0)),
    );
    const snapshot = { load: () => [], save: () => undefined };
    const caches = await Promise.all(
      dbs.map((db) => openPoolCache({ db, snapshot, log: createLog("silent") })),
    );
    const named = (username: string) => registerBot(sandbox, { token, username });
    const telegram = telegramBotApi(sandbox.url);
    const healths = dbs.map((db) =>
      createBotHealth({ db, secrets, now: () => new Date(), log: createLog("silent"), telegram }),
    );
    const checkAll = () => Promise.all(healths.map(({ run }) => run()));
    const linked = () => caches.map((cache) => cache.get("shop")?.bots.map(({ username }) => username));

    await named("old_bot");
    await checkAll();
    expect(linked()).toEqual([["old_bot"], ["old_bot"]]);
    await named("New_Bot");
    await checkAll();
    await until(() => linked().flat().join() === "New_Bot,New_Bot");
    const entries = await place.db.select().from(auditLog).where(eq(auditLog.action, "bot.rename"));
    expect(entries).toMatchObject([
      { subject: "bot:old_bot", before: { username: "old_bot" }, after: { username: "New_Bot" } },
    ]);

    for (const cache of caches) cache.close();
    await dbs[1].close();
    await place.dispose();
    await sandbox.stop();
  });

  test.skipIf(testDialect === "sqlite")(
    "a pool that is saved with the new name in the moment of a rename waits for it",
    async () => {
      const deps = { db: own.db, secrets, now: () => new Date() };
      const locked = Promise.withResolvers<void>();
      const letGo = Promise.withResolvers<void>();
      const lock = own.db.transaction(async (tx) => {
        await tx.rows(sql`lock table audit_log in exclusive mode`);
        locked.resolve();
        await letGo.promise;
      });
      await locked.promise;
      answers.set("token-a", known("Newer_Bot"));
      const renaming = health().run();
      await untilHeldUp(own.db, renaming);
      const bots = ["Newer_Bot", "b_bot", "elsewhere_bot"].map((username) => ({
        username,
        weight: 1,
        enabled: true,
      }));
      const saving = updatePool(deps, "test", "shop", { bots, meta_tracking_enabled: false });
      await untilHeldUp(own.db, saving, 2);
      letGo.resolve();
      await Promise.all([lock, renaming]);
      expect(await saving).toMatchObject({ kind: "updated" });
      expect(await bot(ids.a)).toMatchObject({ username: "Newer_Bot" });

      // And back, as the other tests know it.
      answers.clear();
      await health().run();
    },
  );

  test.skipIf(testDialect === "sqlite")(
    "a pool that is saved with the old and the new name in the moment of a rename is saved, and neither waits for the other for ever",
    async () => {
      const { db } = own;
      const deps = { db, secrets, now: () => new Date() };
      await addPool(db, { slug: "both-names" }, [{ username: "other_bot" }]);
      const at = new Date();
      const { saving, renaming } = await db.transaction(async (tx) => {
        await tx.insert(db.tables.bots).values({ username: "a_between_bot", createdAt: at, updatedAt: at });
        // Made by the pool, which then waits for the name that this transaction makes.
        const bots = ["A_ahead_bot", "a_between_bot", "a_bot"].map((username) => ({ username }));
        const saving = updatePool(deps, "test", "both-names", { bots, meta_tracking_enabled: false });
        await untilHeldUp(db, saving);
        answers.set("token-a", known("A_ahead_bot"));
        const renaming = health().run();
        await untilHeldUp(db, renaming, 2);
        return { saving, renaming };
      });
      expect(await saving).toMatchObject({ kind: "updated" });
      await renaming;
      expect(await bot(ids.a)).toMatchObject({ username: "a_bot" });
      expect(logLines.join()).toContain("another bot has that name here");
    },
  );

  test.skipIf(testDialect === "sqlite")(
    "two processes that swap the names of bots of no pool, one from either side, do not wait for each other for ever",
    async () => {
      const { db, url, dispose } = await createTestDatabase();
      const other = await openDatabase({ url });
      const { bots } = db.tables;
      const times = { createdAt: new Date(), updatedAt: new Date() };
      await db.transaction(async (tx) => {
        for (const key of ["a", "b"]) {
          const token = secrets.seal(`token-${key}`, "bots.token");
          await tx.insert(bots).values({ username: `${key}_bot`, token, ...times });
        }
      });
      answers.set("token-a", known("b_bot")).set("token-b", known("a_bot"));
      // Of the first bot it hears nothing at first, and so begins with the second.
      let isFirst = true;
      const fromBehind = {
        identify: async (token: string) => {
          if (!isFirst) return identify(token);
          isFirst = false;
          return AWAY;
        },
      };
      const swaps = await db.transaction(async (tx) => {
        await tx.update(bots).set({ healthReason: null }).where(eq(bots.username, "b_bot"));
        const behind = health(fromBehind, other).run();
        await untilHeldUp(db, behind);
        const ahead = health(undefined, db).run();
        await untilHeldUp(db, ahead, 2);
        return [behind, ahead];
      });
      await Promise.all(swaps);
      const names = await db.select({ username: bots.username }).from(bots).orderBy(bots.id);
      expect(names.map(({ username }) => username)).toEqual(["b_bot", "a_bot"]);
      await other.close();
      await dispose();
    },
  );

  test("a name that another bot has here is not taken from it; the operator is told once", async () => {
    answers.set("token-a", known("Elsewhere_Bot"));
    const { run: check } = health();
    await check();
    await check();
    expect(await bot(ids.a)).toMatchObject({ username: "a_bot" });
    const told = logLines.filter((line) => line.includes("another bot has that name here"));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("remove the other @Elsewhere_Bot");
  });

  describe("names that change hands at Telegram do so here, in one turn, and no bot passes for lost", () => {
    const place = { a: 0, b: 0, c: 0 };
    const usernames = async () =>
      Object.fromEntries(
        await Promise.all(
          (["a", "b", "c"] as const).map(async (key) => [key, (await bot(place[key]))?.username] as const),
        ),
      );
    /** That the bots are called so, and then again as the other tests know them. */
    const expectNames = async (names: Record<keyof typeof place, string>) => {
      expect(await usernames()).toEqual(names);
      expect(logLines.join()).not.toContain("links lead nowhere");
      answers.clear();
      await health().run();
      expect(await usernames()).toEqual({ a: "a_bot", b: "b_bot", c: "c_bot" });
    };
    beforeAll(async () => {
      const { bots } = own.db.tables;
      const { bots: added } = await addPool(own.db, { slug: "third" }, [{ username: "c_bot" }]);
      Object.assign(place, { a: ids.a, b: ids.b, c: added[0]?.id });
      const token = secrets.seal("token-c", "bots.token");
      await own.db.transaction((tx) => tx.update(bots).set({ token }).where(eq(bots.id, place.c)));
    });

    test.each([
      ["two bots swap", { a: "b_bot", b: "a_bot", c: "c_bot" }],
      ["three in a circle", { a: "b_bot", b: "c_bot", c: "a_bot" }],
      ["three the other way round", { a: "c_bot", b: "a_bot", c: "b_bot" }],
      ["a row that moves up", { a: "b_bot", b: "c_bot", c: "d_bot" }],
      ["a row that moves down", { a: "z_bot", b: "a_bot", c: "b_bot" }],
    ])("%s", async (_, atTelegram) => {
      for (const [key, username] of Object.entries(atTelegram)) answers.set(`token-${key}`, known(username));
      await Promise.all([health().run(), health().run()]);
      await health().run();
      await expectNames(atTelegram);
    });

    test("a name that went from one bot to another while Telegram was asked is nobody's whom Telegram knows otherwise", async () => {
      const { bots } = own.db.tables;
      const atTelegram = { a: "b_bot", b: "moved_bot", c: "a_bot" };
      for (const [key, username] of Object.entries(atTelegram)) answers.set(`token-${key}`, known(username));
      let isFirst = true;
      const overtaken = {
        identify: async (token: string) => {
          // Another process's check of `b`, which has the name of `c` when its turn comes.
          if (token === "token-b" && isFirst) {
            isFirst = false;
            await own.db.transaction(async (tx) => {
              await tx.update(bots).set({ username: "moved_bot" }).where(eq(bots.id, place.b));
              await tx.update(bots).set({ username: "b_bot" }).where(eq(bots.id, place.c));
            });
          }
          return identify(token);
        },
      };
      await health(overtaken).run();
      await health().run();
      await expectNames(atTelegram);
    });

    test("a name is not taken from a bot of which Telegram says nothing", async () => {
      answers.set("token-a", known("b_bot"));
      answers.set("token-b", AWAY);
      await health().run();
      expect(await usernames()).toMatchObject({ a: "a_bot", b: "b_bot" });
      expect(logLines.join()).toContain("links lead nowhere");
    });
  });

  test("over HTTP: too many questions, or trouble of Telegram's, is no refusal; an unknown token is one", async () => {
    const sandbox = await startSandbox();
    const { identify } = telegramBotApi(sandbox.url);
    const kinds: string[] = [];
    for (const mode of ["429", "500", "reset"]) {
      await addFault(sandbox, "telegram", { mode, method: "getMe" });
      kinds.push((await identify("700001:AAF-a_well_formed_token_of_a_test_bot")).kind);
    }
    kinds.push((await identify("no token at all")).kind);
    await sandbox.stop();
    expect(kinds).toEqual(["unreachable", "unreachable", "unreachable", "refused"]);
  });
});
