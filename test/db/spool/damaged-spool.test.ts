import { Database as SqliteClient } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openOrRecoverSpool } from "../../../src/db/spool/damaged-spool.ts";
import { openSpool } from "../../../src/db/spool/spool.ts";
import { createLog } from "../../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../../support/database.ts";
import { addPool } from "../../support/pools.ts";
import { startServer } from "../../support/server.ts";
import { startToken } from "../../support/start-token.ts";
import { until } from "../../support/until.ts";

const SPOOL = join(import.meta.dir, "../../../src/db/spool/spool.ts");
const DAMAGED_SPOOL = join(import.meta.dir, "../../../src/db/spool/damaged-spool.ts");
const LOG = join(import.meta.dir, "../../../src/platform/log.ts");
const PAGE_BYTES = 4_096;

let dataDir: string;
let path: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "ponte-spool-"));
  path = join(dataDir, "spool.db");
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const aside = () => readdirSync(dataDir).filter((name) => /^spool\.db\.corrupt-\d+$/.test(name));

/** A spool of 500 documents, one of them set aside, as a process that is gone left it. */
async function leaveSpool({ isInLog = false, forgets = false } = {}): Promise<void> {
  const fill = `
    const { openSpool } = await import(${JSON.stringify(SPOOL)});
    const spool = openSpool(${JSON.stringify(path)});
    const body = JSON.stringify("x".repeat(900));
    spool.append(Array.from({ length: 500 }, (_, i) => ({ key: "visit " + i, body })));
    spool.setAside("visit 7", "refused");
    ${forgets ? 'spool.forget(["somebody who was erased"]);' : ""}
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn(["bun", "-e", fill], { stderr: "inherit" }).exited;
  if (!isInLog) checkpoint();
}

/** Brings what the spool's log holds into its file. */
function checkpoint(): void {
  const client = new SqliteClient(path);
  client.run("pragma wal_checkpoint(truncate)");
  client.close();
}

function overwrite(fromByte: number, bytes: number, by = 7): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(bytes, by), 0, bytes, fromByte);
  closeSync(file);
}

const overwritePage = (page: number) => overwrite((page - 1) * PAGE_BYTES, PAGE_BYTES);

function overwriteFirstOfMany(): void {
  const client = new SqliteClient(path);
  client.run("update spool set rowid = rowid + 1000000");
  const first = client.query<{ page: number }, []>(
    "select pageno as page from dbstat where name = 'spool' and pagetype = 'leaf' order by path limit 1",
  );
  const page = first.get()?.page ?? 0;
  client.run("pragma wal_checkpoint(truncate)");
  client.close();
  overwritePage(page);
}

/** Overwrites the number of the third document on a page in the midst, after the two bytes of its length. */
function overwriteNumber(bytes: number): void {
  const pageAt = 59 * PAGE_BYTES;
  const placeOfThird = pageAt + 8 + 2 * 2;
  const place = readFileSync(path).readUInt16BE(placeOfThird);
  overwrite(pageAt + place + 2, bytes, 0xff);
}

/** A spool with a page in its midst overwritten, which held four documents. */
async function leaveDamagedSpool(): Promise<void> {
  await leaveSpool();
  overwritePage(61);
}

/** The same with twenty more documents in its log alone. */
async function leaveDamagedSpoolWithLog(): Promise<void> {
  await leaveSpool();
  const fill = `
    const { openSpool } = await import(${JSON.stringify(SPOOL)});
    const added = Array.from({ length: 20 }, (_, i) => ({ key: "late " + i, body: JSON.stringify("y".repeat(900)) }));
    openSpool(${JSON.stringify(path)}).append(added);
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn(["bun", "-e", fill], { stderr: "inherit" }).exited;
  overwritePage(61);
}

describe("a spool whose file is damaged", () => {
  test.each([
    ["is no database at all", async () => writeFileSync(path, "no database".repeat(1_000))],
    ["holds nothing that can be read", async () => writeFileSync(path, Buffer.alloc(9 * PAGE_BYTES, 7))],
    ["was cut off before its documents begin", async () => writeFileSync(path, "no database")],
  ])("and %s is moved aside with what belongs to it, loudly, and a new one begun", async (_, damage) => {
    await damage();
    writeFileSync(`${path}-wal`, "");
    const lines: string[] = [];
    const spool = openOrRecoverSpool(path, createLog("info", { write: (line) => void lines.push(line) }));
    expect(spool.counts()).toEqual({ waiting: 0, setAside: 0 });
    spool.append([{ key: "a", body: "{}" }]);
    expect(spool.oldest(9)).toEqual([{ key: "a", body: "{}" }]);
    spool.close();
    const [kept = ""] = aside();
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 50, error: { code: expect.stringMatching(/^SQLITE_(NOTADB|CORRUPT)$/) } },
      {
        level: 40,
        documents: 0,
        file: join(dataDir, kept),
        todo: expect.stringContaining("docs/operations.md"),
      },
    ]);
  });

  test.each<[string, { least: number; setAside: number; isInLog?: boolean }, () => void]>([
    ["has its index overwritten", { least: 500, setAside: 1 }, () => overwritePage(3)],
    ["has a page of documents overwritten", { least: 495, setAside: 1 }, () => overwritePage(60)],
    [
      "has two such pages, far from one another",
      { least: 490, setAside: 1 },
      () => [40, 90].forEach(overwritePage),
    ],
    ["lacks the first of many documents", { least: 490, setAside: 1 }, overwriteFirstOfMany],
    ["has a document whose number is too high", { least: 495, setAside: 1 }, () => overwriteNumber(1)],
    ["has one whose number lies before all", { least: 495, setAside: 1 }, () => overwriteNumber(9)],
    ["has rubbish for a header", { least: 500, setAside: 1 }, () => overwrite(0, 100)],
    ["has lost its first page", { least: 500, setAside: 1 }, () => overwritePage(1)],
    [
      "has lost it with all else in the log",
      { least: 500, setAside: 1, isInLog: true },
      () => overwritePage(1),
    ],
    ["was cut off", { least: 150, setAside: 1 }, () => truncateSync(path, 200_123)],
  ])("and %s gives the new one what can be read of it", async (_, expected, damage) => {
    await leaveSpool(expected);
    damage();
    const spool = openOrRecoverSpool(path, createLog("silent"));
    const { waiting, setAside } = spool.counts();
    expect(setAside).toBe(expected.setAside);
    expect(waiting + setAside).toBeGreaterThanOrEqual(expected.least);
    expect(readdirSync(dataDir).filter((name) => name.includes(".copy"))).toEqual([]);
    spool.close();
  });

  test("gives back all of many thousands", () => {
    const filled = openSpool(path);
    filled.append(Array.from({ length: 10_000 }, (_, i) => ({ key: `visit ${i}`, body: "{}" })));
    filled.close();
    checkpoint();
    overwrite(0, 100);
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(aside()).toHaveLength(1);
    expect(spool.counts()).toEqual({ waiting: 10_000, setAside: 0 });
    spool.close();
  });

  test("gives nothing back that was removed from it", async () => {
    await leaveSpool();
    const client = new SqliteClient(path);
    client.run("delete from spool where rowid > 100");
    client.close();
    overwrite(0, 100);
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(spool.counts()).toEqual({ waiting: 99, setAside: 1 });
    spool.close();
  });

  /** A start that moves it aside and is killed before it is read. */
  async function beKilledAtIt(): Promise<void> {
    const killed = `
      const { openOrRecoverSpool } = await import(${JSON.stringify(DAMAGED_SPOOL)});
      openOrRecoverSpool(${JSON.stringify(path)}, { error: () => process.kill(process.pid, "SIGKILL") });`;
    expect(await Bun.spawn(["bun", "-e", killed]).exited).toBe(128 + 9);
    expect(aside()).toEqual([]);
  }

  test("is read back by the next start where one is killed at it", async () => {
    await leaveSpool();
    overwritePage(1);
    await beKilledAtIt();
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(spool.counts()).toEqual({ waiting: 499, setAside: 1 });
    expect(aside()).toHaveLength(1);
    spool.close();
    openOrRecoverSpool(path, createLog("silent")).close();
    expect(aside()).toHaveLength(1);
  });

  test("does not bring back what was forgotten before it was read", async () => {
    await leaveSpool();
    overwritePage(1);
    await beKilledAtIt();
    const meanwhile = openSpool(path);
    meanwhile.forget(["visit 7", "visit 9"]);
    meanwhile.close();
    const lines: string[] = [];
    const spool = openOrRecoverSpool(path, createLog("info", { write: (line) => void lines.push(line) }));
    expect(spool.counts()).toEqual({ waiting: 498, setAside: 0 });
    expect(lines.map((line) => JSON.parse(line).documents)).toEqual([498]);
    spool.close();
  });

  test("nor what was forgotten after a start that could not read it", async () => {
    await leaveSpool();
    overwritePage(1);
    await beKilledAtIt();
    const unread = readdirSync(dataDir).find((name) => name.endsWith(".unread"));
    const inItsWay = join(dataDir, `${unread}.copy`);
    mkdirSync(inItsWay);
    const meanwhile = openOrRecoverSpool(path, createLog("silent"));
    expect(meanwhile.counts()).toEqual({ waiting: 0, setAside: 0 });
    meanwhile.forget(["visit 7", "visit 9"]);
    meanwhile.close();
    rmdirSync(inItsWay);
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(spool.counts()).toEqual({ waiting: 498, setAside: 0 });
    spool.close();
  });

  test("loses nothing to who is killed while its log has two names, nor do those stay", async () => {
    await leaveDamagedSpoolWithLog();
    const halfMoved = `${path}.corrupt-1.unread-wal`;
    linkSync(`${path}-wal`, halfMoved);
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(spool.counts()).toEqual({ waiting: 495 + 20, setAside: 1 });
    expect(existsSync(halfMoved)).toBe(false);
    expect(aside()).toHaveLength(1);
    spool.close();
  });

  test.skipIf(Bun.which("prlimit") === null)(
    "stops no start on a full disk, and is read when there is room",
    async () => {
      await leaveDamagedSpoolWithLog();
      const open = `
        const { openOrRecoverSpool } = await import(${JSON.stringify(DAMAGED_SPOOL)});
        openOrRecoverSpool(${JSON.stringify(path)}, { error() {}, warn() {} }).close();`;
      const child = Bun.spawn(["prlimit", "--fsize=200000", "bun", "-e", open], { stderr: "inherit" });
      expect(await child.exited).toBe(0);
      expect(aside()).toEqual([]);
      const spool = openOrRecoverSpool(path, createLog("silent"));
      expect(spool.counts()).toEqual({ waiting: 495 + 20, setAside: 1 });
      expect(aside()).toHaveLength(1);
      // Whoever looks into it by hand needs both.
      expect(aside().every((name) => existsSync(join(dataDir, `${name}-wal`)))).toBe(true);
      spool.close();
    },
  );

  test("is moved aside once, however many processes find it at the same time", async () => {
    await leaveDamagedSpool();
    const open = `
      const { openOrRecoverSpool } = await import(${JSON.stringify(DAMAGED_SPOOL)});
      const spool = openOrRecoverSpool(${JSON.stringify(path)}, { error() {}, warn() {} });
      spool.append([{ key: String(process.pid), body: "{}" }]);`;
    const children = Array.from({ length: 4 }, () => Bun.spawn(["bun", "-e", open], { stderr: "inherit" }));
    const codes = await Promise.all(children.map(({ exited }) => exited));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(aside()).toHaveLength(1);
    const spool = openOrRecoverSpool(path, createLog("silent"));
    expect(spool.counts()).toEqual({ waiting: 495 + 4, setAside: 1 });
    spool.close();
  }, 60_000);
});

describe(`a server whose spool is damaged, on ${testDialect}`, () => {
  let own: TestDatabase;
  beforeEach(async () => {
    own = await createTestDatabase();
    await addPool(own.db, { slug: "open" });
  });
  afterEach(() => own.dispose());

  test("starts on it, and goes on serving while a healthy database takes visits, cookies and payments, and measuring", async () => {
    writeFileSync(path, "no database".repeat(1_000));
    const lines: string[] = [];
    const server = await startServer(
      own.url,
      { LOG_LEVEL: "info", API_KEY: "the-key-of-this-test-0123456789ab" },
      { dataDir, onLogLine: (line) => void lines.push(line) },
    );
    const authorization = "Bearer the-key-of-this-test-0123456789ab";
    const readiness = async () => (await fetch(`${server.url}/readyz`)).text();
    try {
      expect(aside()).toHaveLength(1);
      expect(await readiness()).toContain(`"spool":{"ok":true,"detail":"empty"`);

      const client = new SqliteClient(path);
      client.run("drop table spool");
      client.run("drop table spool_totals");
      client.close();
      const said = () => lines.filter((line) => line.includes("the spool cannot be read"));
      await until(() => said().length > 0);

      const page = await fetch(`${server.url}/go/open?fbclid=AbC`);
      const token = startToken(await page.text());
      const post = (to: string, body: object) =>
        fetch(server.url + to, {
          method: "POST",
          headers: { authorization, "content-type": "application/json" },
          body: JSON.stringify(body),
        });
      const report = { tracking_token: token, _fbp: "fb.1.1700000000000.12345" };
      expect((await post("/api/tracking/cookies", report)).status).toBe(204);
      const sale = { provider: "generic", amount_minor: 4990, currency: "BRL" };
      expect(
        (await post("/api/payments", { ...sale, provider_ref: "a", tracking_token: token })).status,
      ).toBe(201);
      const unseen = "0193f2a5c1d27e3f8a4b5c6d7e8f9012";
      expect(
        (await post("/api/payments", { ...sale, provider_ref: "b", tracking_token: unseen })).status,
      ).toBe(201);
      await until(async () => (await readiness()).includes(`"spool":{"ok":false`));
      expect(said()).toHaveLength(1);

      const metrics = await fetch(`${server.url}/metrics`, { headers: { authorization } });
      expect(metrics.status).toBe(200);
      const text = await metrics.text();
      expect(text).toContain("ponte_database_up 1");
      expect(text).not.toContain("ponte_spool_visits{");
      await until(() => lines.some((line) => line.includes("the spool could not be counted")));
      expect(await server.stop()).toBe(0);
    } catch (error) {
      await server.kill();
      throw error;
    }
  }, 60_000);
});

/** What a process says that may make no file longer than so many blocks of 512 bytes: as good as a full disk. */
async function saidOnFullDisk(blocks: number, script: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", `ulimit -f ${blocks}; exec bun -e "$0"`, script], { stdout: "pipe" });
  return new Response(child.stdout).text();
}

test.each([false, true])(
  "a sound spool that a killed process left is opened though its log cannot get longer (an erasure: %p)",
  async (forgets) => {
    await leaveSpool({ isInLog: true, forgets });
    // SQLite's shared memory alone needs 64 blocks.
    const said = await saidOnFullDisk(
      128,
      `
    const { openOrRecoverSpool } = await import(${JSON.stringify(DAMAGED_SPOOL)});
    const { createLog } = await import(${JSON.stringify(LOG)});
    console.log(JSON.stringify(openOrRecoverSpool(${JSON.stringify(path)}, createLog("silent")).counts()));`,
    );
    expect(JSON.parse(said)).toEqual({ waiting: 499, setAside: 1 });
  },
);

test("a start goes on without the spool where its disk has no room at all, and loses nothing of it", async () => {
  await leaveSpool();
  const said = await saidOnFullDisk(
    0,
    `
    const { openOrRecoverSpool } = await import(${JSON.stringify(DAMAGED_SPOOL)});
    const { createLog } = await import(${JSON.stringify(LOG)});
    const spool = openOrRecoverSpool(${JSON.stringify(path)}, createLog("silent"));
    try {
      spool.append([{ key: "a", body: "{}" }]);
    } catch ({ message }) {
      console.log(message);
    }
    spool.close();`,
  );
  expect(said).toBe(`DATA_DIR: ${path} cannot be used\n`);
  const spool = openOrRecoverSpool(path, createLog("silent"));
  expect(spool.counts()).toEqual({ waiting: 499, setAside: 1 });
  spool.close();
});
