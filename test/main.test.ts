import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMAND_LINE, ponte } from "./cli/ponte.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "./support/database.ts";
import { addPool } from "./support/pools.ts";
import { runProgram } from "./support/run-program.ts";
import { PROGRAM, startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
  await addPool(own.db, { slug: "open" });
});
afterAll(() => own.dispose());

test(`a process that only dispatches, on ${testDialect}, says that it is well and takes no visitor, operator or payment`, async () => {
  const server = await startServer(own.url, { ROLE: "dispatcher", API_KEY: "a-key-of-many-letters" });
  const status = async (path: string, init?: RequestInit) => (await fetch(server.url + path, init)).status;
  const withKey = { headers: { authorization: "Bearer a-key-of-many-letters" } };
  expect(await status("/healthz")).toBe(200);
  // Ready once its first sign of life is written down.
  await until(async () => (await status("/readyz")) === 200);
  expect(await status("/metrics", withKey)).toBe(200);
  for (const path of ["/go/open", "/ops", "/api/pools", "/assets/bridge.js", "/openapi"]) {
    expect(await status(path, withKey)).toBe(404);
  }
  for (const path of ["/api/tracking/cookies", "/api/payments", "/telegram/1"]) {
    expect(await status(path, { ...withKey, method: "POST" })).toBe(404);
  }
  expect(await own.db.$count(own.db.tables.sessions)).toBe(0);
  expect(await server.stop()).toBe(0);
}, 60_000);

test("a process that only dispatches works on where its port is taken, and turns none of its visitors away", async () => {
  const { dispatchers } = own.db.tables;
  const web = await startServer(own.url, { ROLE: "web" });
  const dispatcher = await startServer(own.url, { ROLE: "dispatcher", PORT: new URL(web.url).port });
  const signs = new Set<number>();
  await until(async () => {
    for (const { heartbeatAt } of await own.db.select().from(dispatchers)) signs.add(heartbeatAt.getTime());
    return signs.size > 1;
  });
  for (let i = 0; i < 10; i++) expect((await fetch(`${web.url}/go/open`)).status).toBe(200);
  expect(await dispatcher.stop()).toBe(0);
  expect(await own.db.$count(dispatchers)).toBe(0);
  expect(await web.stop()).toBe(0);
}, 60_000);

test("the sources start from any folder: their views say themselves what their markup is compiled to", async () => {
  const server = await startServer(own.url, {}, { fromSources: true, cwd: tmpdir() });
  for (const path of ["/go/open", "/ops/login"]) {
    expect(await (await fetch(server.url + path)).text()).toContain("<html");
  }
  expect(await server.stop()).toBe(0);
}, 60_000);

test("what the server and the command line write is nobody else's on this machine", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-private-"));
  const url = join(place, "served", "ponte.db");
  const server = await startServer(url, {}, { dataDir: join(place, "served") });
  const made = join(place, "made", "ponte.db");
  expect((await ponte(["migrate"], { DATABASE_URL: made, DATA_DIR: join(place, "made") })).code).toBe(0);
  const paths = readdirSync(place, { recursive: true }).map(String);
  const open = paths.filter((path) => (statSync(join(place, path)).mode & 0o077) !== 0);
  await server.kill();
  rmSync(place, { recursive: true, force: true });
  expect(open).toEqual([]);
  expect(paths).toContainValues(["served/ponte.db", "served/app-secret", "served/spool.db", "made/ponte.db"]);
}, 60_000);

test("a key that is made is spoken of once, with its place and without itself", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-key-"));
  const path = join(place, "app-secret");
  const lines: string[] = [];
  const options = { dataDir: place, onLogLine: (line: string) => void lines.push(line) };
  const start = () => startServer(own.url, { LOG_LEVEL: "info" }, options);
  await (await start()).stop();
  await (await start()).stop();
  const served = readFileSync(path, "utf8").trim();
  rmSync(path);
  const add = (slug: string) =>
    ponte(
      ["pool", "add", "--slug", slug, "--bot", "shop_bot", "--pixel-id", "123", "--access-token", "EAAB"],
      {
        DATABASE_URL: own.url,
        DATA_DIR: place,
      },
    );
  const said = [await add("sealed-first"), await add("sealed-again")].map(({ err }) => err);
  const typed = readFileSync(path, "utf8").trim();
  rmSync(place, { recursive: true, force: true });
  expect(
    lines.filter((line) => line.includes("made a new key")).map((line) => JSON.parse(line)),
  ).toMatchObject([{ path }]);
  expect(said.map((text) => text.includes(`Made a new key, ${path}:`))).toEqual([true, false]);
  expect(lines.join()).not.toContain(served);
  expect(said.join()).not.toContain(typed);
}, 60_000);

test("what an older version left for all to read is closed to them at the start, but not to a group", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-older-"));
  const modesBefore = { "ponte.db": 0o664, "spool.db": 0o604, "app-secret": 0o640 };
  const files = Object.keys(modesBefore).map((name) => join(place, name));
  const start = () => startServer(files[0] ?? "", {}, { dataDir: place });
  await (await start()).stop();
  for (const [name, mode] of Object.entries(modesBefore)) chmodSync(join(place, name), mode);
  const server = await start();
  const modes = files.map((path) => (statSync(path).mode & 0o777).toString(8));
  await server.stop();
  rmSync(place, { recursive: true, force: true });
  expect(modes).toEqual(["660", "600", "640"]);
}, 120_000);

test("a folder in a database's place is left as open as it was", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-folder-"));
  chmodSync(place, 0o777);
  const env = { ...process.env, DATABASE_URL: place, DATA_DIR: join(place, "data") };
  const { err } = await runProgram([PROGRAM], { env });
  expect(err).toContain(`DATABASE_URL: the SQLite file ${place} cannot be opened`);
  expect(err).toContain("Start Ponte and its commands as the same user");
  const { mode } = statSync(place);
  rmSync(place, { recursive: true, force: true });
  expect((mode & 0o777).toString(8)).toBe("777");
}, 60_000);

test("a file in a database's place that is none keeps its mode, and gets nothing beside it", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-no-database-"));
  const file = join(place, "somebody-else's");
  writeFileSync(file, "no database at all", { mode: 0o644 });
  chmodSync(file, 0o644);
  const { lines } = await failedStart({ DATABASE_URL: file });
  const { mode } = statSync(file);
  const names = readdirSync(place);
  rmSync(place, { recursive: true, force: true });
  expect(lines[0]).toContain(`DATABASE_URL: the SQLite file ${file} cannot be opened`);
  expect((mode & 0o777).toString(8)).toBe("644");
  expect(names).toEqual(["somebody-else's"]);
}, 60_000);

test("a misspelt setting stops nothing, and the log asks whether it is one", async () => {
  const warned = Promise.withResolvers<string>();
  const onLogLine = (line: string) => {
    if (line.includes("RATE_LIMIT_PER_HOURS")) warned.resolve(line);
  };
  const change = { LOG_LEVEL: "warn", RATE_LIMIT_PER_HOUR: "", RATE_LIMIT_PER_HOURS: "9" };
  const server = await startServer(own.url, change, { onLogLine });
  expect(JSON.parse(await warned.promise)).toMatchObject({ todo: "Did you mean RATE_LIMIT_PER_HOUR?" });
  expect(await server.stop()).toBe(0);
}, 60_000);

test.each([
  ["--help", 0],
  ["migrate", 2],
] as const)("%s starts no server, and leads to the commands", async (argument, code) => {
  const place = mkdtempSync(join(tmpdir(), "ponte-argument-"));
  const env = { PATH: process.env.PATH };
  const ran = await runProgram([PROGRAM, argument], { cwd: place, env });
  expect(ran.code).toBe(code);
  expect(ran.out + ran.err).toContain("bun run ponte --help");
  expect(readdirSync(place)).toEqual([]);
  rmSync(place, { recursive: true });
});

test("a setting that is missing and one that is misspelt are named together", async () => {
  const change = { PUSHINPAY_WEBHOOK_TOKEN: "a-token-of-theirs", PUSHINPAY_TOKN: "a-token-of-ours" };
  const { err, code } = await runProgram([PROGRAM], { env: { PATH: process.env.PATH, ...change } });
  const [missing, ...asked] = err.trimEnd().split("\n");
  expect(missing).toStartWith("PUSHINPAY_TOKEN: is missing");
  expect(asked).toEqual(["PUSHINPAY_TOKN is no setting of Ponte's. Did you mean PUSHINPAY_TOKEN?"]);
  expect(code).toBe(1);
});

test("a .env that Bun cannot read stops the server and the command line, which would work without its settings", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-utf-16-"));
  writeFileSync(join(place, ".env"), "\ufeffDATABASE_URL=postgres://db/ponte\r\n", "utf16le");
  const env = { PATH: process.env.PATH };
  for (const command of [[PROGRAM], [COMMAND_LINE, "doctor"]]) {
    const { err, code } = await runProgram(command, { cwd: place, env });
    expect({ err, code }).toEqual({ err: expect.stringContaining("Save it as UTF-8."), code: 1 });
  }
  expect(readdirSync(place)).toEqual([".env"]);
  rmSync(place, { recursive: true });
}, 60_000);

test("a .env that Bun reads stops nothing, whatever is in its values", async () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-zero-"));
  writeFileSync(join(place, ".env"), "NOTE=a\0b\nDATABASE_URL=nowhere.db\n");
  const ran = await runProgram([COMMAND_LINE, "pool", "list"], {
    cwd: place,
    env: { PATH: process.env.PATH },
  });
  expect(ran.err).toContain("There is no database at nowhere.db.");
  rmSync(place, { recursive: true });
});

test("a wrong setting stops it with what is wrong, and nothing else", async () => {
  const { err, code } = await runProgram([PROGRAM], { env: { PATH: process.env.PATH, PORT: "none" } });
  expect(err).toBe(`PORT: must be a whole number from 0 to 65535, not "none". Example: 3000\n`);
  expect(code).toBe(1);
}, 60_000);

describe("what it cannot start with is said with the setting, its value and what to do", () => {
  const place = mkdtempSync(join(tmpdir(), "ponte-start-"));
  const file = join(place, "a-file");
  writeFileSync(file, "no database at all, and rather more of it than a header would have".repeat(20));
  afterAll(() => rmSync(place, { recursive: true, force: true }));

  test.each<[environment: Record<string, string>, line: RegExp, todo: RegExp]>([
    [{ HOST: "no.such.host.invalid" }, /HOST: no\.such\.host\.invalid is no address/, /^Set HOST to/],
    [{ HOST: "192.0.2.1" }, /HOST: 192\.0\.2\.1 is no address/, /^Set HOST to/],
    [
      { DATABASE_URL: "/proc/nope/p.db" },
      /DATABASE_URL: the SQLite file \/proc\/nope\/p\.db/,
      /^Let it name/,
    ],
    [
      { DATABASE_URL: file },
      new RegExp(`DATABASE_URL: the SQLite file ${file} .*not a database`),
      /^Let it name Ponte's own file or a new one\. .* backup/,
    ],
    [{ DATA_DIR: file }, new RegExp(`DATA_DIR: ${file}/app-secret cannot be used`), /set DATA_DIR/],
    [
      { DATA_DIR: file, APP_SECRET: Buffer.alloc(32, 7).toString("base64") },
      new RegExp(`DATA_DIR: ${file}/spool.db cannot be used`),
      /set DATA_DIR/,
    ],
  ])(
    "%p",
    async (environment, line, todo) => {
      const { code, lines } = await failedStart({ DATABASE_URL: own.url, DATA_DIR: place, ...environment });
      expect(lines.filter((said) => !said.includes("no setting of Ponte's"))).toHaveLength(2);
      expect(lines[0]).toMatch(/^Ponte could not start: /);
      expect(lines[0]).toMatch(line);
      expect(lines[1]).toMatch(todo);
      expect(code).toBe(1);
    },
    30_000,
  );

  test("with a question for each setting that may be misspelt, as one that is missing may be", async () => {
    const { lines } = await failedStart({
      DATABASE_URL: "/proc/nope/p.db",
      DATA_DIR: "",
      PONTE_DATA_DIR: place,
    });
    expect(lines[0]).toMatch(/^Ponte could not start: /);
    expect(lines).toContain("PONTE_DATA_DIR is no setting of Ponte's. Did you mean DATA_DIR?");
  }, 60_000);

  test("a port that something else has", async () => {
    const other = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      reusePort: false,
      fetch: () => new Response(),
    });
    const { code, lines } = await failedStart({
      DATABASE_URL: own.url,
      DATA_DIR: place,
      HOST: "127.0.0.1",
      PORT: String(other.port),
    });
    expect(lines[0]).toStartWith(`Ponte could not start: PORT: ${other.port} is taken on 127.0.0.1`);
    expect(code).toBe(1);
    await other.stop(true);
  }, 60_000);
});

async function failedStart(environment: Record<string, string>) {
  const env = { ...process.env, LOG_LEVEL: "silent", PORT: "0", ...environment };
  const { code, err } = await runProgram([PROGRAM], { env });
  return { code, lines: err.trim().split("\n") };
}

test("who comes before the rest of the program is loaded waits for it, visitors excepted", async () => {
  const server = await startServer(
    own.url,
    { API_KEY: "a-key-of-many-letters" },
    { untilAnswering: "/go/open" },
  );
  const paths = ["/ops/login", "/openapi", "/api/pools", "/nowhere"];
  const headers = { authorization: "Bearer a-key-of-many-letters" };
  const answers = await Promise.all(paths.map((path) => fetch(server.url + path, { headers })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404]);
  expect(await (await fetch(`${server.url}/metrics`, { headers })).text()).toContain(
    'ponte_http_request_duration_seconds_count{method="GET",route="/api/pools",status="2xx"} 1',
  );
  expect(await server.stop()).toBe(0);
}, 60_000);

test("a stop right after the start finishes what is still being loaded", async () => {
  const server = await startServer(own.url, {}, { untilAnswering: "/go/open" });
  expect(await server.stop()).toBe(0);
}, 60_000);

test("a stop before anybody is let in ends it at once, and it is not the system that does", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const database = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => resolve(), data: () => undefined },
  });
  const place = mkdtempSync(join(tmpdir(), "ponte-stop-"));
  const child = Bun.spawn([PROGRAM], {
    env: {
      ...process.env,
      DATABASE_URL: `postgres://ponte@127.0.0.1:${database.port}/ponte`,
      DATA_DIR: place,
      PORT: "0",
    },
    stdout: "ignore",
  });
  // It waits for an answer now, and nobody will give it one.
  await asked;
  child.kill("SIGTERM");
  await child.exited;
  expect([child.exitCode, child.signalCode]).toEqual([0, null]);
  database.stop(true);
  rmSync(place, { recursive: true });
}, 60_000);
