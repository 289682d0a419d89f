import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { ensureDatabaseId } from "../../src/db/database-id.ts";
import { openSpool, type Spool } from "../../src/db/spool/spool.ts";
import { createLog } from "../../src/platform/log.ts";
import { loadPools } from "../../src/pools/load-pools.ts";
import { spoolSnapshot } from "../../src/pools/pool-snapshot.ts";
import { encodeVisit } from "../../src/redirect/visit-json.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import { createVisitRecorder } from "../../src/redirect/visit-recorder.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { type AddedPool, addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { visitsOf, writerOn } from "../support/visits.ts";

/** An installation, whose pool has the number that the other one's has too. */
interface Installation extends TestDatabase {
  readonly id: string | null;
  readonly pool: AddedPool;
  readonly visit: () => VisitRecord;
}

let mine: Installation;
let theirs: Installation;
let spool: Spool;
let lines: string[];

beforeEach(async () => {
  [mine, theirs] = [await install("mine"), await install("theirs")];
  spool = openSpool(":memory:");
  lines = [];
});
afterEach(async () => {
  spool.close();
  await mine.dispose();
  await theirs.dispose();
});

async function install(slug: string): Promise<Installation> {
  const own = await createTestDatabase();
  const pool = await addPool(own.db, { slug });
  const id = await ensureDatabaseId(own.db);
  const visit = visitsOf(pool);
  return { ...own, id, pool, visit: () => ({ ...visit(), database: id }) };
}

function recorderOn({ db }: Installation) {
  const log = createLog("info", { write: (line) => void lines.push(line) });
  return createVisitRecorder({ db, writer: writerOn(db), spool, log });
}

function spoolAll(...visits: VisitRecord[]) {
  spool.append(visits.map((visit) => ({ key: visit.trackingToken, body: encodeVisit(visit) })));
}

const tokensIn = async ({ db }: Installation) =>
  (await db.select({ token: db.tables.sessions.trackingToken }).from(db.tables.sessions)).map(
    ({ token }) => token,
  );

const rename = (from: string, to: string) =>
  mine.db.transaction((tx) => tx.rows(sql.raw(`alter table ${from} rename to ${to}`)));

describe(`two databases that share a spool, on ${testDialect}`, () => {
  test("each brings in its own visits, however many of the other's come first", async () => {
    const others = Array.from({ length: 250 }, theirs.visit);
    const own = mine.visit();
    spoolAll(...others, own);
    const recorder = recorderOn(mine);
    expect(await recorder.replay()).toBe(1);
    expect(await tokensIn(mine)).toEqual([own.trackingToken]);
    expect(spool.counts()).toEqual({ waiting: others.length, setAside: 0 });
    await recorder.close();

    const restarted = recorderOn(theirs);
    await restarted.replay();
    expect((await tokensIn(theirs)).toSorted()).toEqual(
      others.map((other) => other.trackingToken).toSorted(),
    );
    expect(spool.counts().waiting).toBe(0);
    await restarted.close();
  });

  test("the log says once whose visits stay, and what to do", async () => {
    spoolAll(theirs.visit(), theirs.visit());
    const recorder = recorderOn(mine);
    await recorder.replay();
    await recorder.replay();
    await recorder.close();
    const told = lines.map((line) => JSON.parse(line)).filter(({ others }) => others !== undefined);
    expect(told).toMatchObject([
      {
        database: mine.id,
        others: [{ database: theirs.id, waiting: 2 }],
        todo: expect.stringContaining("doctor"),
      },
    ]);
  });

  test("a sale of the one calls no visit of the other's in", async () => {
    const other = theirs.visit();
    spoolAll(other);
    const recorder = recorderOn(mine);
    expect(await recorder.recall(other.trackingToken)).toBe(false);
    expect(await tokensIn(mine)).toEqual([]);
    await recorder.close();
    const owner = recorderOn(theirs);
    expect(await owner.recall(other.trackingToken)).toBe(true);
    await owner.close();
  });

  test("a visit of an earlier version, which names no database, is brought in as it was", async () => {
    const { database: _, ...earlier } = mine.visit();
    spool.append([{ key: earlier.trackingToken, body: JSON.stringify(earlier) }]);
    const recorder = recorderOn(mine);
    expect(await recorder.recall(earlier.trackingToken)).toBe(true);
    expect(await tokensIn(mine)).toEqual([earlier.trackingToken]);
    await recorder.close();
  });

  test("each goes on with its own last pools while it is away, and with the last of all where it is new", async () => {
    const [own, others] = [await loadPools(mine.db), await loadPools(theirs.db)];
    expect(own).toMatchObject([{ slug: "mine", database: mine.id }]);
    spoolSnapshot(spool, "a").save(own);
    spoolSnapshot(spool, "b").save(others);
    expect(spoolSnapshot(spool, "a").load()).toEqual(own);
    expect(spoolSnapshot(spool, "b").load()).toEqual(others);
    expect(spoolSnapshot(spool, "moved").load()).toEqual(others);
  });

  test("a visit to a pool of the other's, before the own pools can be read, waits for the other", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-shared-"));
    const before = await startServer(theirs.url, {}, { dataDir });
    await before.stop();
    await rename("bots", "elsewhere");
    const first = await startServer(mine.url, {}, { dataDir });
    expect((await fetch(`${first.url}/go/theirs`)).status).toBe(200);
    expect(await tokensIn(mine)).toEqual([]);
    await rename("elsewhere", "bots");
    await until(async () => (await fetch(`${first.url}/go/mine`)).status === 200);
    expect(await tokensIn(mine)).toHaveLength(1);
    await first.stop();
    const back = await startServer(theirs.url, {}, { dataDir });
    await until(async () => (await tokensIn(theirs)).length === 1);
    await back.stop();
    rmSync(dataDir, { recursive: true });
  }, 60_000);

  test("two servers on one DATA_DIR: what one spooled before it was killed is its own when it comes back", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "ponte-shared-"));
    const told: string[] = [];
    const other = await startServer(
      theirs.url,
      { LOG_LEVEL: "warn" },
      { dataDir, onLogLine: (line) => void told.push(line) },
    );
    const first = await startServer(mine.url, {}, { dataDir });
    await rename("meta_tracking_sessions", "elsewhere");
    for (let i = 0; i < 3; i++) expect((await fetch(`${first.url}/go/mine`)).status).toBe(200);
    await first.kill();
    await until(() => told.some((line) => line.includes("visits of another database")));
    expect(await tokensIn(theirs)).toEqual([]);
    await rename("elsewhere", "meta_tracking_sessions");
    const second = await startServer(mine.url, {}, { dataDir });
    await until(async () => (await tokensIn(mine)).length === 3);
    expect(await tokensIn(theirs)).toEqual([]);
    await second.stop();
    await other.stop();
    rmSync(dataDir, { recursive: true });
  }, 60_000);
});
