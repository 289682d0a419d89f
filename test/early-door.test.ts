import { Database as SqliteClient } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { createApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { openSpool } from "../src/db/spool/spool.ts";
import { fileState } from "../src/db/sqlite/file-state.ts";
import { type Deps, openDeps } from "../src/deps.ts";
import { openEarlyDoor } from "../src/early-door.ts";
import { createMetrics } from "../src/metrics/metrics.ts";
import { createLog } from "../src/platform/log.ts";
import type { Pool } from "../src/pools/pool.ts";
import { databaseDigest, spoolSnapshot } from "../src/pools/pool-snapshot.ts";
import { createVisits } from "../src/visits.ts";
import { createSqliteFolder, type TestPlace } from "./support/database.ts";
import { addPool } from "./support/pools.ts";
import { startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

const silent = createLog("silent");
const IN_SPOOL = 'ponte_visits_recorded_total{where="spool"} 1';
const GATE = { metaCloakerEnabled: true, metaCloakerParamValue: "let-me-in" };

let place: TestPlace;
/** What is to be closed, and whether that has happened already. */
const open = new Set<{ close(): unknown }>();

beforeEach(() => {
  place = createSqliteFolder();
});
afterEach(async () => {
  for (const one of open) await one.close();
  open.clear();
  await place.remove();
});

function config(environment: Readonly<Record<string, string>> = {}) {
  return readConfig({ DATABASE_URL: place.url, HOST: "127.0.0.1", PORT: "0", ...environment });
}

async function openAll(metrics = createMetrics([]), log = silent): Promise<Deps> {
  const deps = await openDeps(config(), log, metrics);
  open.add(deps);
  return deps;
}

async function closeAll(deps: Deps): Promise<void> {
  open.delete(deps);
  await deps.close();
}

function listeningLog() {
  const lines: string[] = [];
  return { lines, log: createLog("error", { write: (line) => void lines.push(line) }) };
}

/** Leaves a database behind as a process does that was asked to stop. */
async function leave(change: (deps: Deps) => unknown = () => undefined): Promise<void> {
  const deps = await openAll();
  await addPool(deps.db, { slug: "open" });
  await addPool(deps.db, { slug: "gated", ...GATE });
  await change(deps);
  await closeAll(deps);
}

async function openEarly(environment: Readonly<Record<string, string>> = {}) {
  const metrics = createMetrics([]);
  const early = await openEarlyDoor(config(environment), metrics);
  if (!early) return null;
  const { server } = early.door;
  open.add({ close: () => server.stop(true) });
  return {
    ...early,
    metrics,
    ask: (path: string, init?: RequestInit) => fetch(server.url.origin + path, init),
    /** Loads the rest, and hands over to it. */
    async handOver(log = silent): Promise<Deps> {
      const deps = await openAll(metrics, log);
      const visit = createVisits(deps, () => server);
      const app = createApp(deps, visit);
      app.server = server;
      await early.handOver({ behind: { visit, rest: (request) => app.fetch(request) }, deps });
      return deps;
    },
  };
}

async function isOpenEarly(environment?: Readonly<Record<string, string>>): Promise<boolean> {
  return (await openEarly(environment)) !== null;
}

async function openEarlyAsLeft() {
  const early = await openEarly();
  if (!early) throw new Error("the door is not open early");
  return early;
}

/** Of a link whose pool is not open any more: it waits, though others are answered, until the database says so. */
async function expectGone(path: string): Promise<void> {
  const { ask, handOver } = await openEarlyAsLeft();
  const waiting = ask(path);
  await ask("/go/gated");
  await ask("/go/gated");
  expect(await Promise.race([waiting, "nobody was answered"])).toBe("nobody was answered");
  await handOver();
  expect((await waiting).status).toBe(404);
}

function visitsIn({ db }: Deps) {
  return db.$count(db.tables.sessions);
}

describe("a start that finds the database's file as it was left", () => {
  test("lets a visitor in at once, whose visit is on the disk then, and in the database once that is open, once", async () => {
    await leave();
    const { ask, handOver, metrics } = await openEarlyAsLeft();
    const answer = await ask("/go/Open?fbclid=EarlyClick");
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("t.me/open_bot")]);
    const spool = new SqliteClient(config().spoolFile, { readonly: true });
    expect(spool.query("select count(*) as waiting from spool").get()).toEqual({ waiting: 1 });
    spool.close();
    const deps = await handOver();
    const { sessions, outbox } = deps.db.tables;
    const rows = await deps.db
      .select({ fbclid: sessions.fbclid, clientIp: sessions.clientIp })
      .from(sessions);
    expect(rows).toEqual([{ fbclid: "EarlyClick", clientIp: "127.0.0.1" }]);
    expect(await deps.db.$count(outbox)).toBe(1);
    expect(deps.spool.counts().waiting).toBe(0);
    expect(metrics.counted.visits).toMatchObject({ page: 1, spooled: 1, committed: 0 });
    expect((await ask("/go/open?fbclid=LateClick")).status).toBe(200);
    expect(await visitsIn(deps)).toBe(2);
    expect(metrics.counted.visits).toMatchObject({ page: 2, spooled: 1, committed: 1 });
  });

  test("asks the gate, and its refusal is counted", async () => {
    await leave();
    const { ask, handOver } = await openEarlyAsLeft();
    expect((await ask("/go/gated")).status).toBe(403);
    expect((await ask("/go/gated?grim=let-me-in")).status).toBe(200);
    const { db, refusals } = await handOver();
    await until(async () => {
      await refusals.flush();
      return (await db.$count(db.tables.gateRefusals)) === 1;
    });
  });

  test("lets whoever comes for something else wait for it", async () => {
    await leave();
    const { ask, handOver } = await openEarlyAsLeft();
    const waiting = [ask("/healthz"), ask("/go/nowhere"), ask("/go/open", { method: "POST" })];
    await ask("/go/open");
    expect(await Promise.race([...waiting, "nobody was answered"])).toBe("nobody was answered");
    await handOver();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 404, 405]);
  });

  test("lets visits wait for the database where the spool does not take them, and says so once", async () => {
    await leave();
    const { ask, handOver } = await openEarlyAsLeft();
    const disk = new SqliteClient(config().spoolFile);
    disk.run("create trigger full before insert on spool begin select raise(fail, 'disk is full'); end");
    disk.close();
    const answers = [ask("/go/open?fbclid=FullDisk"), ask("/go/open?fbclid=FullToo")];
    // Both came early: this one came last.
    await ask("/go/gated");
    await ask("/go/gated");
    const { log, lines } = listeningLog();
    const deps = await handOver(log);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await visitsIn(deps)).toBe(2);
    expect(lines).toEqual([
      expect.stringContaining("the spool did not take visits; they wait for the database"),
    ]);
  });
});

test("a visit that fails early is answered and logged with the request's id", async () => {
  await leave();
  const spool = openSpool(config().spoolFile);
  const snapshot = spoolSnapshot(spool, databaseDigest(config()));
  const state = fileState(config().sqliteFile ?? "") ?? "";
  const nameless = (pool: Pool) => ({
    ...pool,
    metaPixelId: null,
    bots: pool.bots.map((bot) => ({ ...bot, username: "no\nname" })),
  });
  snapshot.leave(snapshot.asLeft(state).map(nameless), state);
  spool.close();
  const { ask, handOver } = await openEarlyAsLeft();
  const answer = await ask("/go/open");
  const id = answer.headers.get("x-request-id");
  expect([answer.status, id]).toEqual([500, expect.any(String)]);
  const { log, lines } = listeningLog();
  await handOver(log);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ msg: "a request failed", request_id: id, method: "GET" }),
  ]);
});

test("a stop says nothing where the spool does not take the pools, without which the next start goes on as ever", async () => {
  const { log, lines } = listeningLog();
  const deps = await openAll(createMetrics([]), log);
  await addPool(deps.db, { slug: "open" });
  await deps.pools.refresh();
  const disk = new SqliteClient(config().spoolFile);
  disk.run("alter table notes rename to notes_away");
  await closeAll(deps);
  disk.run("alter table notes_away rename to notes");
  disk.close();
  expect(lines).toEqual([]);
  expect(await isOpenEarly()).toBe(false);
});

describe("a door does not open early", () => {
  test("where a pool was changed after the last process had stopped", async () => {
    await leave();
    const sql = new SqliteClient(config().sqliteFile ?? "");
    sql.run("update pools set enabled = 0 where slug = 'open'");
    sql.close();
    expect(await isOpenEarly()).toBe(false);
    // Whoever looks at it next leaves it so that a start knows of the change.
    await closeAll(await openAll());
    await expectGone("/go/open");
  });

  test("with pools from before a change that the spool did not take", async () => {
    await leave(async ({ db, pools }) => {
      await pools.refresh();
      const disk = new SqliteClient(config().spoolFile);
      disk.run("alter table notes rename to notes_away");
      const { tables } = db;
      await db.transaction((tx) =>
        tx.update(tables.pools).set({ enabled: false }).where(eq(tables.pools.slug, "open")),
      );
      await pools.refresh();
      disk.run("alter table notes_away rename to notes");
      disk.close();
    });
    await expectGone("/go/open");
  });

  test("while another process works with the file", async () => {
    await leave();
    const { db } = await openAll();
    await addPool(db, { slug: "other" });
    expect(await isOpenEarly()).toBe(false);
  });

  test("after a crash, where DATABASE_URL is a link: SQLite's log lies beside the file itself", async () => {
    await leave();
    const link = join(config().dataDir, "link.db");
    symlinkSync(config().sqliteFile ?? "", link);
    const environment = { DATABASE_URL: link };
    const start = () => openDeps(config(environment), silent);
    await (await start()).close();
    const running = await start();
    open.add(running);
    expect(await isOpenEarly(environment)).toBe(true);
    await addPool(running.db, { slug: "other" });
    expect(await isOpenEarly(environment)).toBe(false);
  });

  test("the first time, after a spool of its own was lost or damaged, of a file that cannot be looked at, of a dispatcher, and with Postgres", async () => {
    expect(await isOpenEarly()).toBe(false);
    await leave();
    expect(await isOpenEarly({ ROLE: "dispatcher" })).toBe(false);
    expect(await isOpenEarly({ DATABASE_URL: "a".repeat(300), DATA_DIR: config().dataDir })).toBe(false);
    expect(await isOpenEarly({ DATA_DIR: join(config().dataDir, "elsewhere") })).toBe(false);
    const postgres = { DATABASE_URL: "postgres://127.0.0.1:9/ponte", DATA_DIR: config().dataDir };
    expect(await isOpenEarly(postgres)).toBe(false);
    for (const part of ["-wal", "-shm"]) rmSync(config().spoolFile + part, { force: true });
    await Bun.write(config().spoolFile, "rubbish".repeat(1_000));
    expect(await isOpenEarly()).toBe(false);
  });
});

test("a process that was killed starts without the early door, and one that was stopped with it; each visit counts once", async () => {
  await leave();
  const API_KEY = "api-key-of-the-environment-0123456789";
  const environment = { ROLE: "web", API_KEY };
  const headers = { authorization: `Bearer ${API_KEY}` };
  const metricsOf = async (url: string) => (await fetch(`${url}/metrics`, { headers })).text();
  const options = { dataDir: config().dataDir, untilAnswering: "/go/open?fbclid=FirstClick" };
  let visits = 0;
  const start = async () => {
    const server = await startServer(place.url, environment, options);
    visits++;
    return { ...server, isEarly: (await metricsOf(server.url)).includes(IN_SPOOL) };
  };
  let killed = await start();
  // On a busy machine all of it may be loaded before this process comes to ask.
  while (!killed.isEarly) {
    expect(await killed.stop()).toBe(0);
    killed = await start();
  }
  await killed.kill();
  const after = await start();
  expect(after.isEarly).toBe(false);
  expect(await after.stop()).toBe(0);
  const deps = await openAll();
  await until(async () => (await visitsIn(deps)) === visits);
});

test("a visit that was answered early is there, once, when the process was killed the moment after", async () => {
  await leave();
  const dataDir = config().dataDir;
  for (const click of ["FirstClick", "SecondClick"]) {
    const untilAnswering = `/go/open?fbclid=${click}`;
    const server = await startServer(place.url, { ROLE: "web" }, { dataDir, untilAnswering });
    await server.kill();
  }
  const { db, recorder } = await openAll();
  await recorder.replay();
  const { sessions } = db.tables;
  const rows = await db.select({ fbclid: sessions.fbclid }).from(sessions).orderBy(sessions.trackingToken);
  expect(rows).toEqual([{ fbclid: "FirstClick" }, { fbclid: "SecondClick" }]);
});

test("a stop that is asked for early waits for those who came before it, and leaves all to the next start", async () => {
  await leave();
  const options = { dataDir: config().dataDir, untilAnswering: "/go/open?fbclid=FirstClick" };
  for (let start = 0; start < 2; start++) {
    const server = await startServer(place.url, { ROLE: "web" }, options);
    const waiting = fetch(`${server.url}/healthz`);
    await fetch(`${server.url}/go/open?fbclid=SecondClick`);
    expect(await server.stop()).toBe(0);
    expect((await waiting).status).toBe(200);
    expect(await isOpenEarly()).toBe(true);
  }
  expect(await visitsIn(await openAll())).toBe(4);
}, 60_000);
