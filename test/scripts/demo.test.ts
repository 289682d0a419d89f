import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareDemo } from "../../scripts/demo/prepare.ts";
import { demoEnvironment, demoPayments, demoPlace, localUrl } from "../../scripts/demo/settings.ts";
import { freePort } from "../../scripts/lib/free-port.ts";
import { linesOf } from "../../scripts/lib/lines.ts";
import { checkOffers } from "../../src/cli/doctor/check-offers.ts";
import { readConfig } from "../../src/config.ts";
import { type RunningSandbox, startSandbox } from "../../src/sandbox/app.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { testSecrets } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { runProgram } from "../support/run-program.ts";

let own: TestDatabase;
let sandbox: RunningSandbox;
beforeAll(async () => {
  own = await createTestDatabase();
  sandbox = await startSandbox();
});
afterAll(async () => {
  await sandbox.stop();
  await own.dispose();
});

const prepare = ({ db } = own) =>
  prepareDemo(db, testSecrets, { sandboxUrl: sandbox.url, publicUrl: "http://localhost:3000" });

describe(`the demo on ${testDialect}`, () => {
  test("is made once, and found again", async () => {
    await prepare();
    await prepare();
    const { pools, bots, offers } = own.db.tables;
    const counted = [pools, bots, offers].map((table) => own.db.$count(table));
    expect(await Promise.all(counted)).toEqual([1, 1, 1]);
  });

  test("can be paid for by what its commands are given, so that doctor has nothing to warn of", async () => {
    const { payments } = readConfig(demoPayments(sandbox.url));
    expect(await checkOffers(own.db, payments)).not.toContainEqual(
      expect.objectContaining({ level: "warning" }),
    );
  });

  test("starts again after a pool was made in it to try things out", async () => {
    await addPool(own.db, { slug: "trial", metaPixelId: "986" });
    await prepare();
    expect(await own.db.$count(own.db.tables.pools)).toBe(2);
  });

  test("does not start where somebody else's events would go to the sandbox", async () => {
    const theirs = await createTestDatabase();
    await addPool(theirs.db, { slug: "summer", metaPixelId: "987" });
    await expect(prepare(theirs)).rejects.toThrow('it has the pool "summer"');
    await expect(prepare(theirs)).rejects.toThrow("bun run start");
    await theirs.dispose();
  });
});

test.each([
  ["0.0.0.0", "http://localhost:4000"],
  ["::", "http://localhost:4000"],
  ["::1", "http://[::1]:4000"],
  ["192.168.1.5", "http://192.168.1.5:4000"],
  ["ponte.lan", "http://ponte.lan:4000"],
])("what listens at %s is reached at %s", (host, url) => {
  expect(localUrl({ host, port: 4000 })).toBe(url);
});

function canListenAt(hostname: string): boolean {
  try {
    Bun.listen({ hostname, port: 0, socket: { data: () => undefined } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

function freePair(): number {
  for (;;) {
    const port = freePort();
    if (freePort() === port + 1) return port;
  }
}

describe.each(["::1", "127.0.0.2"].filter(canListenAt))("a demo that listens at %s alone", (HOST) => {
  test("prints its password, and links and a command that work", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ponte-demo-"));
    const PORT = String(freePair());
    const demo = Bun.spawn(["bun", "scripts/demo/main.ts"], {
      env: { ...process.env, HOST, PORT, DATABASE_URL: join(folder, "demo.db"), LOG_LEVEL: "fatal" },
      stderr: "inherit",
    });
    let said = "";
    for await (const line of linesOf(demo.stdout)) {
      said += `${line}\n`;
      if (line.includes("Ctrl-C stops it.")) break;
    }
    expect(said).toContain("Ponte is running.");
    expect(said).toMatch(/console +http:\S+\/ops +\(password, this time only: \S+\)/);
    const [link = ""] = said.match(/http:\S+\/go\/demo\S+/) ?? [];
    expect((await fetch(link)).status).toBe(200);
    const [buyer = ""] = said.match(/HOST=.*scripts\/visitor/) ?? [];
    expect(await runProgram(["sh", "-c", buyer])).toMatchObject({ code: 0, err: "" });
    demo.kill("SIGTERM");
    expect(await demo.exited).toBe(0);
    rmSync(folder, { recursive: true });
  }, 120_000);
});

function startDemo(PORT: string) {
  const env = { ...process.env, PORT, DATABASE_URL: "/nonexistent/demo.db" };
  return runProgram(["bun", "scripts/demo/main.ts"], { env });
}

test("a second demo says that its port is taken, though servers may share one", async () => {
  const first = Bun.serve({ hostname: "127.0.0.1", port: 0, reusePort: true, fetch: () => new Response() });
  const { err, code } = await startDemo(String(first.port));
  expect(err).toStartWith(`Port ${first.port} is taken`);
  expect(code).toBe(1);
  await first.stop(true);
});

test.each(["0", "65535"])("port %s has no next one for the sandbox to be found at", async (PORT) => {
  const { err, code } = await startDemo(PORT);
  expect(err).toStartWith("PORT: the demo needs a port of its own");
  expect(code).toBe(1);
});

test("a command for the demo stops in a shell that does not know the database that the demo was given", async () => {
  const given = { DATABASE_URL: "postgres://ana:secret@db/demo", REDIS_URL: "redis://cache" };
  const place = demoPlace(given, readConfig(demoEnvironment(given)));
  expect(place).not.toContain("secret");
  const run = (env: Record<string, string>) =>
    runProgram(["sh", "-c", `${place} env`], { env: { PATH: process.env.PATH, ...env } });
  expect((await run({ REDIS_URL: given.REDIS_URL })).err).toContain(
    "DATABASE_URL: set it as for ./scripts/start",
  );
  const { out } = await run(given);
  expect(out).toContain(`DATABASE_URL=${given.DATABASE_URL}`);
  expect(out).toContain("DATA_DIR=data/demo");
});

test("scripts find their folder, whatever CDPATH the shell looks for folders in", async () => {
  const env = { ...process.env, CDPATH: ".:/tmp" };
  const { out, code } = await runProgram(["scripts/visitor", "--help"], { env });
  expect(out).toStartWith("Usage: API_KEY=… ./scripts/visitor");
  expect(code).toBe(0);
});

test("a visitor of a port that is none is told so in one line", async () => {
  const env = { ...process.env, PORT: "abc" };
  const { err, code } = await runProgram(["bun", "scripts/demo/visitor.ts"], { env });
  expect(err).toBe('PORT: must be a whole number from 0 to 65535, not "abc". Example: 3000\n');
  expect(code).toBe(1);
});

test("two sandboxes never share a port, and with it what is sent to them", async () => {
  await expect(startSandbox({ port: sandbox.port })).rejects.toThrow(`${sandbox.port}`);
});

describe("without a word of where, the demo", () => {
  test.each([
    [{}, { url: "data/demo/ponte.db", dataDir: "data/demo" }],
    [
      { DATABASE_URL: "", DATA_DIR: "" },
      { url: "data/demo/ponte.db", dataDir: "data/demo" },
    ],
    [{ DATABASE_URL: "/srv/try/p.db" }, { url: "/srv/try/p.db", dataDir: "/srv/try" }],
    [{ DATABASE_URL: "postgres://db/try" }, { url: "postgres://db/try", dataDir: "data/demo" }],
    [{ DATA_DIR: "/srv/try" }, { url: "data/demo/ponte.db", dataDir: "/srv/try" }],
  ])("%p keeps apart from a real pool's data", (given, place) => {
    const { database, dataDir } = readConfig(demoEnvironment(given));
    expect({ url: database.url, dataDir }).toEqual(place);
  });
});
