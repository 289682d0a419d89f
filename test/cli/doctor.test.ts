import { Database as SqliteClient } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { eq, sql } from "drizzle-orm";
import postgres from "postgres";
import { z } from "zod";
import { ensureDatabaseId } from "../../src/db/database-id.ts";
import { tablesOf } from "../../src/db/define-schema.ts";
import { openDatabase } from "../../src/db/open.ts";
import { openSpool } from "../../src/db/spool/spool.ts";
import * as tables from "../../src/db/sqlite/tables.ts";
import { changeRoute } from "../../src/outbox/change-route.ts";
import { CLOCK } from "../../src/outbox/clock-leap.ts";
import { beat, withdraw } from "../../src/outbox/heartbeat.ts";
import { newId } from "../../src/platform/ids.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { openDisk } from "../faults/disk.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addManyErasedSales } from "../support/erased-sales.ts";
import { addRows, emptyOutbox } from "../support/outbox.ts";
import { registerBot } from "../support/sandbox.ts";
import { commandEnvironment, ponte, ponteJson } from "./ponte.ts";

const TOKEN = "5502:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const report = z.object({
  healthy: z.boolean(),
  findings: z.array(
    z.object({ check: z.string(), level: z.string(), text: z.string(), todo: z.string().nullable() }),
  ),
});

const TABLES = tablesOf(tables).length;

let own: TestDatabase;
let outside: RunningSandbox;
let environment: Record<string, string>;

beforeAll(async () => {
  own = await createTestDatabase();
  outside = await startSandbox();
  environment = commandEnvironment(own, outside);
  await registerBot(outside, { token: TOKEN, username: "doc_bot" });
  await ponteJson(["bot", "add", "--username", "doc_bot", "--token", TOKEN], environment);
  await ponteJson(
    ["pool", "add", "--slug", "doc", "--bot", "doc_bot", "--pixel-id", "77", "--access-token", "t"],
    environment,
  );
});
afterAll(async () => {
  await outside.stop();
  await own.dispose();
});

/** The report, whatever the exit code; and that the code says the same. */
async function diagnose(change: Record<string, string> = {}, ...flags: string[]) {
  const ran = await ponte(["doctor", "--json", ...flags], { ...environment, ...change });
  const { healthy, findings } = report.parse(JSON.parse(ran.out));
  expect(ran.code).toBe(healthy ? 0 : 1);
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  return { healthy, findings, of, err: ran.err };
}

describe(`ponte doctor on ${testDialect}`, () => {
  test("finds all well, asks Meta and Telegram, and sends no event", async () => {
    const { healthy, of, findings } = await diagnose();
    expect(findings.filter(({ level }) => level === "bad")).toEqual([]);
    expect(healthy).toBe(true);
    // It is set.
    expect(of("APP_SECRET")).toEqual([]);
    for (const check of [
      "database",
      "migrations",
      "tables",
      "views",
      "pool doc",
      "bot @doc_bot",
      "redis",
      "DATA_DIR",
      "spool",
    ]) {
      expect(of(check)).toMatchObject([{ level: "good", todo: null }]);
    }
    expect(of("clock")).toMatchObject([
      { level: "good", text: expect.stringContaining("the database is ") },
      { level: "good", text: expect.stringMatching(/^this machine is .* Meta$/) },
    ]);
    expect(of("dispatcher")).toMatchObject([{ level: "warning", text: "none runs: events wait" }]);
    expect(
      outside.requests
        .items()
        .map(({ path }) => path)
        .join(" "),
    ).not.toContain("/events");
    expect((await ponte(["doctor"], environment)).out).toContain(`✓ tables: all ${TABLES} are there`);
  });

  test("asks nobody outside with --offline", async () => {
    const nowhere = { META_GRAPH_URL: "http://127.0.0.1:1", TELEGRAM_API_URL: "http://127.0.0.1:1" };
    expect((await diagnose(nowhere, "--offline")).healthy).toBe(true);
  });

  test("tells a Meta, a Telegram and a Redis that do not answer apart", async () => {
    const nowhere = "http://127.0.0.1:1";
    const change = { META_GRAPH_URL: nowhere, TELEGRAM_API_URL: nowhere, REDIS_URL: "redis://127.0.0.1:1" };
    const { of, err } = await diagnose(change);
    for (const check of ["pool doc", "bot @doc_bot", "redis"])
      expect(of(check)).toMatchObject([{ level: "bad" }]);
    expect(err).toContain("3 things are wrong.");
  });

  test("tells a clock that Meta's contradicts, and one that leapt forward", async () => {
    const at = (aheadMs: number) => new Date(Date.now() + aheadMs);
    using meta = Bun.serve({
      port: 0,
      fetch: () => new Response("", { headers: { date: at(-36_000_000).toUTCString() } }),
    });
    const { settings } = own.db.tables;
    const seen = { seenAtMs: at(-9 * 86_400_000).getTime(), leap: null };
    await own.db.transaction((tx) =>
      tx.insert(settings).values({ key: CLOCK, value: JSON.stringify(seen), updatedAt: at(0) }),
    );
    const { of } = await diagnose({ META_GRAPH_URL: meta.url.origin });
    await own.db.transaction((tx) => tx.delete(settings).where(eq(settings.key, CLOCK)));
    expect(of("clock")).toMatchObject([
      { level: "good" },
      { level: "bad", text: expect.stringContaining("this machine is 10 h ahead of Meta") },
      { level: "warning", text: expect.stringContaining("went on by 9 d since it was last seen") },
    ]);
  });

  test.each([
    [30_000, "warning"],
    [300_000, "bad"],
  ])("tells a clock that is off by %d ms with the level %s", async (behindMs, level) => {
    using meta = Bun.serve({
      port: 0,
      fetch: () => new Response("", { headers: { date: new Date(Date.now() - behindMs).toUTCString() } }),
    });
    const { of } = await diagnose({ META_GRAPH_URL: meta.url.origin });
    expect(of("clock")).toMatchObject([{ level: "good" }, { level }]);
  });

  test("tells a dispatcher that gives no sign of life any more from one that does", async () => {
    const { now, plusMs } = own.db.dialect;
    const { dispatchers } = own.db.tables;
    const found = async () => (await diagnose({}, "--offline")).of("dispatcher");
    await beat(own.db, "one");
    expect(await found()).toMatchObject([{ level: "good" }]);
    await own.db.transaction((tx) =>
      tx.update(dispatchers).set({ heartbeatAt: sql`${plusMs(now, -300_000)}` }),
    );
    expect(await found()).toMatchObject([
      { level: "warning", text: expect.stringMatching(/^the last sign of life is .* old: events wait$/) },
    ]);
    await withdraw(own.db, "one");
  });

  test("blames the version, not the token, where Meta has ended it", async () => {
    const error = { code: 2635, message: "You are calling a deprecated version of the Ads API." };
    using meta = Bun.serve({ port: 0, fetch: () => Response.json({ error }, { status: 400 }) });
    expect((await diagnose({ META_GRAPH_URL: meta.url.origin })).of("pool doc")).toMatchObject([
      {
        level: "bad",
        text: expect.stringContaining("deprecated version"),
        todo: expect.stringContaining("META_GRAPH_VERSION"),
      },
    ]);
  });

  test("notices a webhook that points elsewhere", async () => {
    const { of } = await diagnose({ PUBLIC_URL: "https://new.example.com" });
    expect(of("bot @doc_bot")).toMatchObject([
      {
        level: "bad",
        todo: "bun run ponte bot connect doc_bot",
        text: expect.stringContaining("go.example.com"),
      },
    ]);
  });

  test.each([
    {
      what: "that goes on",
      waiting: 3,
      level: "warning",
      text: "3 updates waiting; last (2025-03-01T12:00:00.000Z): Timed out",
    },
    { what: "that is over", waiting: 0, level: "good", text: "its webhook is set, 0 updates waiting" },
  ])("tells of a failure of Telegram's to reach us $what", async ({ waiting, level, text }) => {
    const { bots } = own.db.tables;
    const [bot] = await own.db.select({ id: bots.id }).from(bots).where(eq(bots.username, "doc_bot"));
    const result = {
      url: `https://go.example.com/telegram/${bot?.id}`,
      has_custom_certificate: false,
      pending_update_count: waiting,
      last_error_date: Date.parse("2025-03-01T12:00:00Z") / 1_000,
      last_error_message: "Timed out",
    };
    using telegram = Bun.serve({ port: 0, fetch: () => Response.json({ ok: true, result }) });
    const { of } = await diagnose({ TELEGRAM_API_URL: telegram.url.origin });
    expect(of("bot @doc_bot")).toMatchObject([{ level, text: expect.stringContaining(text) }]);
  });

  test("notices a bot that can neither be answered in nor is told of", async () => {
    await ponteJson(["bot", "add", "--username", "deaf_bot"], environment);
    const { healthy, of } = await diagnose();
    expect(healthy).toBe(true);
    expect(of("bot @deaf_bot")).toMatchObject([
      { level: "warning", todo: expect.stringContaining("ponte bot add --username deaf_bot --token -") },
    ]);
    const { bots, botUsers } = own.db.tables;
    const [bot] = await own.db.select({ id: bots.id }).from(bots).where(eq(bots.username, "deaf_bot"));
    const person = {
      botId: bot?.id ?? 0,
      telegramUserId: "1",
      createdAt: new Date(),
      updatedAt: new Date(),
    };
    await own.db.transaction((tx) => tx.insert(botUsers).values(person));
    expect((await diagnose()).of("bot @deaf_bot")).toMatchObject([{ level: "good" }]);
  });

  test("notices another APP_SECRET", async () => {
    const { of } = await diagnose({ APP_SECRET: Buffer.alloc(32, 8).toString("base64") });
    for (const check of ["pool doc", "bot @doc_bot"]) {
      expect(of(check)).toMatchObject([{ level: "bad", text: expect.stringContaining("APP_SECRET") }]);
    }
  });

  test("makes no key where there is none, and says what cannot be opened", async () => {
    const dataDir = join(tmpdir(), `ponte-fresh-${newId()}`);
    const { of } = await diagnose({ APP_SECRET: "", DATA_DIR: dataDir }, "--offline");
    expect(of("pool doc")).toMatchObject([{ level: "bad", text: expect.stringContaining("APP_SECRET") }]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test.skipIf(testDialect === "sqlite")("never advises a new key where one has sealed tokens", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-key-"));
    const settings = { APP_SECRET: "", DATA_DIR: dataDir };
    const before = (await diagnose(settings, "--offline")).of("APP_SECRET");
    expect(before).toMatchObject([{ level: "warning", todo: expect.stringContaining("openssl rand") }]);
    const file = join(dataDir, "app-secret");
    writeFileSync(file, `${Buffer.alloc(32, 7).toString("base64")}\n`);
    const after = (await diagnose(settings, "--offline")).of("APP_SECRET");
    expect(after).toMatchObject([
      {
        text: expect.stringContaining(file),
        todo: expect.stringContaining("set APP_SECRET to it, not to a new one"),
      },
    ]);
    // A second machine that was started without the first one's key has made one that opens nothing.
    writeFileSync(file, `${Buffer.alloc(32, 8).toString("base64")}\n`);
    const other = (await diagnose(settings, "--offline")).of("APP_SECRET");
    expect(other).toMatchObject([
      { level: "bad", todo: expect.stringContaining("to the key that sealed them") },
    ]);
    const fresh = await createTestDatabase();
    const unused = (await diagnose({ ...settings, DATABASE_URL: fresh.url }, "--offline")).of("APP_SECRET");
    expect(unused).toMatchObject([{ todo: expect.stringContaining("No token is sealed yet") }]);
    await fresh.dispose();
    rmSync(dataDir, { recursive: true });
  });

  test.skipIf(testDialect === "sqlite")(
    "says of a Postgres without pools that those of the SQLite file do not come along",
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), "ponte-moved-"));
      const fresh = await createTestDatabase();
      const settings = { DATABASE_URL: fresh.url, DATA_DIR: dataDir };
      const todo = async () => (await diagnose(settings, "--offline")).of("pools").map((found) => found.todo);
      expect(await todo()).toEqual(["Make one: bun run ponte pool add --help"]);
      const file = join(dataDir, "ponte.db");
      writeFileSync(file, "");
      expect(await todo()).toEqual([expect.stringContaining(`${file} is another database`)]);
      await fresh.dispose();
      rmSync(dataDir, { recursive: true });
    },
  );

  test("warns of an offer that nobody can pay for", async () => {
    const offer = "--name Song --description Words --price 5 --currency USD --provider stripe --delivery x";
    await ponteJson(["offer", "add", "--bot", "doc_bot", ...offer.split(" ")], environment);
    const { healthy, of } = await diagnose();
    expect(healthy).toBe(true);
    expect(of("offer 1")).toMatchObject([
      { level: "warning", text: expect.stringContaining("stripe is not set up") },
    ]);
    const keys = { STRIPE_SECRET_KEY: "sk_test_0123456789", STRIPE_WEBHOOK_SECRET: "whsec_0123456789" };
    expect((await diagnose(keys)).of("offers")).toMatchObject([{ level: "good" }]);
  });

  test("warns of requests of which Meta counted only a part", async () => {
    const { outboxAttempts } = own.db.tables;
    const request = {
      destination: "meta" as const,
      route: "77",
      outboxIds: [1, 2],
      events: 2,
      durationMs: 1,
    };
    await own.db.transaction((tx) =>
      tx
        .insert(outboxAttempts)
        .values({ ...request, outcome: "partial", response: '{"events_received":1}', startedAt: new Date() }),
    );
    // That of the day before yesterday is over.
    const startedAt = new Date(Date.now() - 2 * 86_400_000);
    await own.db.transaction((tx) =>
      tx.insert(outboxAttempts).values({ ...request, outcome: "partial", response: "{}", startedAt }),
    );
    const { of } = await diagnose();
    expect(of("meta")).toMatchObject([{ level: "warning", text: expect.stringContaining("1 request") }]);
  });

  test("warns of sales that Meta was not told of", async () => {
    const { payments } = own.db.tables;
    const now = new Date();
    const sale = { provider: "generic", providerRef: "order-1", amountMinor: 4990, currency: "BRL" };
    const times = { paidAt: now, createdAt: now, updatedAt: now };
    await own.db.transaction((tx) =>
      tx.insert(payments).values({ id: newId(), status: "paid", ...sale, ...times }),
    );
    const { healthy, of } = await diagnose();
    expect(healthy).toBe(true);
    expect(of("sales")).toMatchObject([
      { level: "warning", text: expect.stringContaining("1 sale in seven days not reported to Meta") },
    ]);
  });

  test("says that sales older than those it looked at may not be reported", async () => {
    await addManyErasedSales(own.db);
    const { of } = await diagnose();
    expect(of("sales")).toMatchObject([
      { level: "good", text: expect.stringContaining("only the newest were looked at") },
    ]);
    await own.db.transaction((tx) => tx.delete(own.db.tables.payments));
  });

  test("tells events that the other side never took from those that became too old", async () => {
    await addRows(own.db, 1, { status: "expired" });
    const { of } = await diagnose();
    const expired = { level: "warning", text: "1 event never sent: too old when its turn came" };
    expect(of("outbox")).toMatchObject([{ ...expired, todo: expect.stringContaining("--status expired") }]);
    await addRows(own.db, 1, { status: "dead" });
    const dead = { level: "warning", text: "1 event given up: the other side never took it" };
    expect((await diagnose()).of("outbox")).toMatchObject([dead, expired]);
    await addRows(own.db, 1, { status: "dead" });
    const two = { ...dead, text: "2 events given up: the other side never took them" };
    expect((await diagnose()).of("outbox")).toMatchObject([two, expired]);
    await emptyOutbox(own.db);
  });

  test("names a variable that is nearly called as a setting is", async () => {
    const { healthy, of } = await diagnose({ TRUSTED_PROXY: "10.0.0.0/8" });
    expect(healthy).toBe(true);
    expect(of("TRUSTED_PROXY")).toMatchObject([{ level: "warning", todo: "Did you mean TRUSTED_PROXIES?" }]);
  });

  test("warns of a test code, and of a route that is paused", async () => {
    await ponteJson(["pool", "update", "doc", "--test-event-code", "T9"], environment);
    await ponteJson(["outbox", "pause", "77", "--reason", "bad token"], environment);
    const { of } = await diagnose();
    expect(of("pool doc")).toMatchObject([
      {
        level: "warning",
        text: expect.stringContaining(
          "T9 is set: its events show under Test events as well, and Meta still counts",
        ),
      },
      { level: "good" },
    ]);
    expect(of("outbox")).toMatchObject([
      {
        level: "bad",
        text: expect.stringContaining("bad token"),
        todo: expect.stringMatching(/^Put that right, then: .* outbox resume 77/),
      },
      { level: "good" },
    ]);
    await ponteJson(["outbox", "resume", "77"], environment);
    await ponteJson(["pool", "update", "doc", "--test-event-code", ""], environment);
  });

  test("says that a new token ends the pause of a pixel whose token Meta refused", async () => {
    const key = { destination: "meta", route: "77/T9" } as const;
    const reason = "Error validating access token (HTTP 401, code 190)";
    await own.db.transaction((tx) => changeRoute(tx, own.db, key, { kind: "paused", reason, by: "refusal" }));
    const [paused] = (await diagnose()).of("outbox");
    expect(paused).toMatchObject({ level: "bad", text: expect.stringContaining("code 190") });
    expect(paused?.todo).toStartWith(
      "A new token ends the pause: bun run ponte pool update doc --access-token -.",
    );
    await ponteJson(["pool", "update", "doc", "--access-token", "another"], environment);
    expect((await diagnose()).of("outbox")).toMatchObject([{ level: "good" }]);
  });

  test("says that a database without tables wants migrating", async () => {
    const empty = await createTestDatabase({ migrated: false });
    const { of } = await diagnose({ DATABASE_URL: empty.url });
    expect(of("migrations")).toMatchObject([{ level: "bad", todo: "Run: bun run ponte migrate" }]);
    expect(of("tables")).toMatchObject([
      {
        level: "bad",
        text: expect.stringContaining(`${TABLES} of ${TABLES} cannot be used, such as api_keys: `),
        todo: "Run: bun run ponte migrate",
      },
    ]);
    // Nobody hears of each table once more.
    expect(of("outbox")).toEqual([]);
    await empty.dispose();
  });

  test.skipIf(testDialect === "postgres")("says of a full disk that it wants room", async () => {
    const disk = await openDisk();
    const url = join(disk.folder, "ponte.db");
    // As while Ponte runs: what SQLite has beside the file is there.
    const running = await openDatabase({ url });
    await running.migrate();
    openSpool(join(disk.folder, "spool.db")).close();
    await disk.fill(process.pid);
    const { of } = await diagnose({ DATABASE_URL: url }, "--offline");
    await disk.makeRoom(process.pid);
    await running.close();
    await disk.remove();
    const todo = "Make room on its disk.";
    expect(of("tables")).toMatchObject([{ text: expect.stringContaining("disk is full"), todo }]);
    if (disk.kind === "tmpfs") expect(of("DATA_DIR")).toMatchObject([{ level: "bad", todo }]);
    // It can be read, which is all that is done to it here.
    expect(of("spool")).toMatchObject([{ level: "good" }]);
  });

  test.skipIf(testDialect === "postgres")(
    "says of a full disk of the database alone that it wants room",
    async () => {
      const disk = await openDisk();
      const dataDir = mkdtempSync(join(tmpdir(), "ponte-doctor-"));
      const url = join(disk.folder, "ponte.db");
      const running = await openDatabase({ url });
      await running.migrate();
      await disk.fill(process.pid);
      const { of } = await diagnose({ DATABASE_URL: url, DATA_DIR: dataDir }, "--offline");
      await disk.makeRoom(process.pid);
      await running.close();
      await disk.remove();
      rmSync(dataDir, { recursive: true });
      const full = { level: "bad", text: `${disk.folder} has no room left`, todo: "Make room on its disk." };
      if (disk.kind === "tmpfs") expect(of("database")).toContainEqual({ check: "database", ...full });
      expect(of("DATA_DIR")).toMatchObject([{ level: "good" }]);
    },
  );

  test("names a spool that is damaged once", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-doctor-"));
    writeFileSync(join(dataDir, "spool.db"), "x".repeat(8192));
    const { of } = await diagnose({ DATA_DIR: dataDir }, "--offline");
    rmSync(dataDir, { recursive: true });
    expect(of("spool")).toMatchObject([{ level: "bad", text: expect.stringContaining("is damaged") }]);
  });

  test.skipIf(testDialect === "sqlite")("says of a replica, once, that it can only be read", async () => {
    const { of } = await diagnose({ DATABASE_URL: `${own.url}?default_transaction_read_only=on` });
    expect(of("tables")).toMatchObject([
      {
        text: expect.stringContaining(`${TABLES} of ${TABLES} cannot be used`),
        todo: expect.stringMatching(/can only be read: it is a replica.* Let DATABASE_URL name/),
      },
    ]);
  });

  test("names a lost column", async () => {
    const broken = await createTestDatabase();
    await broken.db.transaction((tx) => tx.rows(sql`alter table meta_tracking_sessions drop column consent`));
    const { of } = await diagnose({ DATABASE_URL: broken.url });
    expect(of("tables")).toMatchObject([
      { level: "bad", text: expect.stringMatching(/meta_tracking_sessions: .*consent/) },
    ]);
    await broken.dispose();
  });

  test.skipIf(testDialect === "sqlite")("names a table whose next number a row has already", async () => {
    const asInCopies = sql`select setval(pg_get_serial_sequence('bots', 'id'), 1, false)`;
    await own.db.rows(
      sql`insert into bots (id, username, created_at, updated_at) values (900, 'n', now(), now())`,
    );
    await own.db.rows(asInCopies);
    const { of } = await diagnose({}, "--offline");
    const todo = "SELECT setval(pg_get_serial_sequence('bots', 'id'), (SELECT max(id) FROM bots));";
    expect(of("numbers")).toMatchObject([{ level: "bad", todo: expect.stringContaining(todo) }]);
    await own.db.rows(sql.raw(todo));
    expect((await diagnose({}, "--offline")).of("numbers")).toMatchObject([{ level: "good" }]);
    await own.db.rows(sql`delete from bots where id = 900`);
  });

  test("names another database's visits in the spool, and its command brings them in", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ponte-shared-"));
    const path = join(folder, "spool.db");
    const spool = openSpool(path);
    const ofDatabase = (database: string | null) => ({ key: newId(), body: JSON.stringify({ database }) });
    spool.append(["other", "other", await ensureDatabaseId(own.db), null].map(ofDatabase));
    const found = () => diagnose({ DATA_DIR: folder }, "--offline");
    const { of, healthy } = await found();
    expect(healthy).toBe(false);
    const [finding] = of("spool").filter(({ level }) => level === "bad");
    expect(finding?.text).toContain(`2 visits in ${path} are of another database, other`);
    const command = finding?.todo?.match(/run: sqlite3 \S+ "(.+)"$/)?.[1] ?? "";
    const client = new SqliteClient(path);
    client.run(command);
    client.close();
    expect((await found()).of("spool").filter(({ level }) => level === "bad")).toEqual([]);
    expect(spool.oldest(9).length).toBe(3);
    spool.close();
    rmSync(folder, { recursive: true });
  });

  test("a SQLite file that is not there is not made", async () => {
    const path = join(tmpdir(), `ponte-none-${newId()}`, "ponte.db");
    const { of } = await diagnose({ DATABASE_URL: path });
    expect(of("database")).toMatchObject([{ level: "bad", todo: expect.stringContaining("migrate") }]);
    rmSync(join(path, ".."), { recursive: true, force: true });
  });

  test("a data folder that is none, or has to be made in what is none, is no place for the spool", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "ponte-doctor-")), "a-file");
    writeFileSync(file, "");
    for (const dataDir of [file, join(file, "data")]) {
      const { of } = await diagnose({ DATA_DIR: dataDir }, "--offline");
      expect(of("DATA_DIR")).toMatchObject([
        { level: "bad", text: `${file} is no folder`, todo: expect.stringContaining("set DATA_DIR") },
      ]);
    }
    rmSync(dirname(file), { recursive: true });
  });

  test("a spool that cannot be looked at is not taken for none", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-doctor-"));
    // Closed to everybody, root too.
    symlinkSync("spool.db", join(dataDir, "spool.db"));
    const { of } = await diagnose({ DATA_DIR: dataDir }, "--offline");
    rmSync(dataDir, { recursive: true });
    expect(of("spool").map(({ level }) => level)).not.toContain("good");
  });

  test("names spools that were damaged, by whether all of them was read", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-doctor-"));
    const names = ["spool.db.corrupt-1", "spool.db.corrupt-2.unread", "spool.db.corrupt-2.unread-wal"];
    for (const name of names) writeFileSync(join(dataDir, name), "");
    const { healthy, of } = await diagnose({ DATA_DIR: dataDir }, "--offline");
    rmSync(dataDir, { recursive: true });
    expect(healthy).toBe(false);
    expect(of("spool")).toMatchObject([
      { level: "good", text: "none on this machine" },
      { level: "warning", todo: `It names people. Delete it: rm ${dataDir}/spool.db.corrupt-1*` },
      { level: "bad", todo: expect.stringContaining("restart Ponte") },
    ]);
  });

  test.skipIf(testDialect === "sqlite")(
    "names a direct way that leads to another database, nowhere, or through the pooler",
    async () => {
      const other = await createTestDatabase({ migrated: false });
      const direct = (url: string) => diagnose({ DATABASE_DIRECT_URL: url }, "--offline");
      const elsewhere = (await direct(other.url)).of("DATABASE_DIRECT_URL");
      await other.dispose();
      expect(elsewhere).toMatchObject([
        { level: "bad", text: expect.stringContaining("not to DATABASE_URL's") },
      ]);
      const nowhere = (await direct("postgres://127.0.0.1:9/ponte")).of("DATABASE_DIRECT_URL");
      expect(nowhere).toMatchObject([{ level: "bad", text: expect.stringContaining("ECONNREFUSED") }]);
      expect((await direct(own.url)).of("DATABASE_DIRECT_URL")).toEqual([]);
      const pooled = { DATABASE_POOLER: "transaction", DATABASE_DIRECT_URL: own.url };
      expect((await diagnose(pooled, "--offline")).of("DATABASE_DIRECT_URL")).toMatchObject([
        { level: "warning", text: expect.stringContaining("is the same as DATABASE_URL") },
      ]);
    },
  );

  if (testDialect === "postgres")
    test("names the rights that the app's user lacks, and the statement that grants them", async () => {
      const role = `ponte_limited_${newId()}`;
      const owner = postgres(own.url, { max: 1, onnotice: () => undefined });
      await owner.unsafe(`create role ${role} login`);
      await owner.unsafe(`grant select on all tables in schema public to ${role}`);
      await owner.unsafe(`grant insert, update, delete on all tables in schema public to ${role}`);
      await owner.unsafe(`revoke insert, update on outbox_progress from ${role}`);
      const limited = new URL(own.url);
      limited.username = role;
      try {
        const { of } = await diagnose({ DATABASE_URL: limited.href });
        expect(of("tables")).toMatchObject([
          {
            level: "bad",
            text: `outbox_progress: ${role} may not INSERT, UPDATE`,
            todo: expect.stringContaining(`GRANT INSERT, UPDATE ON outbox_progress TO "${role}";`),
          },
        ]);
      } finally {
        await owner.unsafe(`drop owned by ${role}`);
        await owner.unsafe(`drop role ${role}`);
        await owner.end();
      }
    });
});
