import { Database as SqliteClient } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Column, eq, getTableColumns, getTableName, ne, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import postgres from "postgres";
import { openSource } from "../../src/cli/move-refusals.ts";
import type { Database } from "../../src/db/database.ts";
import { ensureDatabaseId } from "../../src/db/database-id.ts";
import { tablesOf } from "../../src/db/define-schema.ts";
import { grantStatements } from "../../src/db/grants.ts";
import { VIEWS_KEY } from "../../src/db/migration-plan.ts";
import { openDatabase } from "../../src/db/open.ts";
import { copyTables } from "../../src/move/copy-tables.ts";
import { openSession } from "../../src/ops/auth/session.ts";
import { newId } from "../../src/platform/ids.ts";
import { createSecrets } from "../../src/platform/secrets.ts";
import { startSandbox } from "../../src/sandbox/app.ts";
import { commandEnvironment, ponte, ponteJson } from "../cli/ponte.ts";
import {
  createSqliteFolder,
  createTestDatabase,
  type TestDatabase,
  testDialect,
} from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";
import { addRows, testSecrets } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { untilHeldUp } from "../support/until-held-up.ts";

let dataDir: string;
let file: string;
let target: TestDatabase;
let environment: Record<string, string>;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "ponte-move-"));
  file = join(dataDir, "ponte.db");
  target = await createTestDatabase();
  environment = { ...commandEnvironment(target), DATA_DIR: dataDir };
});
afterEach(async () => {
  await target.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

/** A Postgres that does not answer. */
const NOWHERE = "postgres://ponte@127.0.0.1:9/ponte";

const move = () => ponte(["move", "--from", file], environment);

/** A pool with a token, which the key in `settings` seals. */
async function addPoolWithToken(settings: Readonly<Record<string, string>>): Promise<void> {
  const flags = "--slug summer --name Summer --pixel-id 1234567890 --access-token - --bot shop_bot:1";
  const { code, err } = await ponte(["pool", "add", ...flags.split(" ")], settings, "EAAtoken\n");
  if (code !== 0) throw new Error(err);
}

/** Makes the file. This process may hold a database that it has closed for a while; nobody has opened a copy of it. */
async function makeSource<T>(work: (db: Database) => Promise<T>): Promise<T> {
  const place = createSqliteFolder();
  const db = await openDatabase({ url: place.url });
  await db.migrate();
  const made = await work(db);
  await db.close();
  copyFileSync(place.url, file);
  await place.remove();
  return made;
}

/** In every table a row with something in each of its columns, and one with as little as may be. */
async function fillTables(db: Database): Promise<void> {
  const { pools, bots } = db.tables;
  for (const table of new Set<PgTable>([pools, bots, ...tablesOf(db.tables)])) {
    for (const n of [1, 2]) {
      const columns = Object.entries(getTableColumns(table)).filter(
        ([, column]) => n === 1 || column.notNull,
      );
      const values = Object.fromEntries(columns.map(([key, column]) => [key, valueFor(column, n)]));
      await db.transaction((tx) => tx.insert(table).values(values));
    }
  }
  const metaAccessToken = testSecrets.seal("EAAtoken", "pools.meta_access_token");
  await db.transaction((tx) => tx.update(pools).set({ metaAccessToken }));
}

/** Instants, numbers and texts that are easily spoilt on the way. */
function valueFor(column: Column, n: number): unknown {
  // Rows refer to those of other tables by number.
  if (column.name === "id" || column.name.endsWith("Id")) return column.dataType === "string" ? `${n}` : n;
  switch (column.dataType) {
    case "string":
      return `${column.name} ${n}: "O'Hara\\", {não}, 🌉\n\tNULL`;
    case "number":
      return column.getSQLType() === "integer" ? n : Number.MAX_SAFE_INTEGER - n;
    case "boolean":
      return n === 1;
    case "date":
      return new Date(Date.UTC(2026, 1, 28, 23, 59, 59, 990 + n));
    default:
      return { [column.name]: ["é", 1.5, null, "\\u0000"] };
  }
}

async function everything(db: Database): Promise<Record<string, unknown[]>> {
  const { settings, dispatchers } = db.tables;
  const tables: readonly PgTable[] = tablesOf(db.tables).filter((table) => table !== dispatchers);
  const read = tables.map(async (table) => {
    const isOfTheInstallation = table === settings ? ne(settings.key, VIEWS_KEY) : undefined;
    const rows = await db.select().from(table).where(isOfTheInstallation);
    return [getTableName(table), rows.map((row) => JSON.stringify(row)).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

describe.skipIf(testDialect === "sqlite")("ponte move", () => {
  test("brings every column of every table over as it was, and puts the file away", async () => {
    const before = await makeSource(async (db) => {
      await fillTables(db);
      return everything(db);
    });
    const { code, out } = await move();
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining(`${file}.moved now`) });
    expect(await everything(target.db)).toEqual(before);
    // Signs of life are those of processes that are gone.
    expect(await target.db.$count(target.db.tables.dispatchers)).toBe(0);
    expect([existsSync(file), existsSync(`${file}-wal`), existsSync(`${file}.moved`)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("brings over many thousands, though their ids were not given in order", async () => {
    const before = await makeSource(async (db) => {
      const at = new Date();
      const payments = Array.from({ length: 2_500 }, (_, i) => ({
        id: newId(),
        provider: "generic" as const,
        providerRef: String(i),
        status: "paid" as const,
        amountMinor: i,
        currency: "BRL",
        createdAt: at,
        updatedAt: at,
      }));
      await db.transaction((tx) => tx.insertMany(db.tables.payments, ["id"], payments.reverse()));
      await addRows(db, 2_500);
      return everything(db);
    });
    expect(await move()).toMatchObject({ code: 0 });
    expect(await everything(target.db)).toEqual(before);
  });

  test("goes on with numbers that were never given, not even to a row that is gone", async () => {
    await makeSource(async (db) => {
      await addPool(db, { slug: "first" });
      const { pool } = await addPool(db, { slug: "second" }, []);
      await db.transaction((tx) => tx.delete(db.tables.pools).where(sql`id = ${pool.id}`));
    });
    expect(await move()).toMatchObject({ code: 0 });
    const { pool } = await addPool(target.db, { slug: "third" });
    expect(pool.id).toBe(3);
  });

  test("leaves statistics of what it copied, and does nothing to other programs' tables", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    await target.db.transaction((tx) => tx.rows(sql`create table theirs (id integer)`));
    expect(await move()).toMatchObject({ code: 0 });
    expect(
      await target.db.rows(
        sql`select relname, reltuples::int from pg_class where relname in ('pools', 'theirs') order by 1`,
      ),
    ).toEqual([
      { relname: "pools", reltuples: 1 },
      { relname: "theirs", reltuples: -1 },
    ]);
  });

  test("carries a visitor over who clicked before it, with the event that waits", async () => {
    const sandbox = await startSandbox();
    await makeSource(async () => undefined);
    await addPoolWithToken({ ...environment, DATABASE_URL: file });
    const { APP_SECRET = "" } = environment;
    const settings = { APP_SECRET, META_GRAPH_URL: sandbox.url };
    const old = await startServer(file, { ...settings, ROLE: "web", PAGEVIEW_HOLD_MS: "0" }, { dataDir });
    expect((await fetch(`${old.url}/go/summer?fbclid=IwAR0moved`)).status).toBe(200);
    await old.stop();
    expect(await ponteJson(["move", "--from", file], environment)).toMatchObject({
      moved: { pools: 1, meta_tracking_sessions: 1, outbox_events: 1, outbox_progress: 1 },
      kept_as: `${file}.moved`,
    });
    const moved = await startServer(target.url, settings, { dataDir });
    try {
      expect((await fetch(`${moved.url}/go/summer`)).status).toBe(200);
      const { sessions, outboxProgress } = target.db.tables;
      expect(
        await target.db
          .select({ id: sessions.id, fbclid: sessions.fbclid })
          .from(sessions)
          .orderBy(sessions.id),
      ).toEqual([
        { id: 1, fbclid: "IwAR0moved" },
        { id: 2, fbclid: null },
      ]);
      await until(async () => {
        const [event] = await target.db.select().from(outboxProgress).where(eq(outboxProgress.id, 1));
        return event?.status === "delivered";
      });
    } finally {
      await moved.stop();
      await sandbox.stop();
    }
  });

  test("leaves a file alone that somebody has open", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    const reader = new SqliteClient(file, { readonly: true });
    reader.query("select 1 from pools").get();
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("Stop Ponte") });
    expect(await target.db.$count(target.db.tables.pools)).toBe(0);
    reader.close(true);
    expect(await move()).toMatchObject({ code: 0 });
  });

  test("takes no note of a Ponte that was started on the Postgres before, and did nothing there", async () => {
    const before = await makeSource(async (db) => {
      await fillTables(db);
      return everything(db);
    });
    const started = await startServer(target.url, { OPERATOR_PASSWORD: "correct horse" }, { dataDir });
    await until(async () => (await target.db.$count(target.db.tables.auditLog)) > 0);
    await started.stop();
    // Somebody has logged in, too.
    await target.db.transaction((tx) => openSession(tx, target.db.tables, new Date()));
    expect(await move()).toMatchObject({ code: 0 });
    expect(await everything(target.db)).toEqual(before);
  });

  test("copies nothing beside what is there already", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    await addPool(target.db, { slug: "winter" });
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("is not empty: bots has") });
    expect(existsSync(file)).toBe(true);
  });

  test("gives up where somebody has written a row of that number meanwhile", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    await addPool(target.db, { slug: "winter" });
    const source = openSource(file);
    const copied = target.db.transaction((tx) => copyTables(source, tx, target.db.tables, () => undefined));
    await expect(copied).rejects.toThrow("its rows 1 to 1 could not be copied");
    source.close();
    expect(
      await target.db.select({ slug: target.db.tables.pools.slug }).from(target.db.tables.pools),
    ).toEqual([{ slug: "winter" }]);
  });

  test("brings a file of an older version up to date first", async () => {
    await migrateUntil("key_names", file, "sqlite");
    const old = new SqliteClient(file);
    for (const hash of ["one", "two"]) {
      old.run(
        "insert into api_keys (name, key_hash, hint, scope, created_at) values ('shop', ?, '', 'read', 0)",
        [hash],
      );
    }
    old.close(true);
    expect(await move()).toMatchObject({ code: 0 });
    const { apiKeys } = target.db.tables;
    expect(await target.db.select({ name: apiKeys.name }).from(apiKeys).orderBy(apiKeys.id)).toEqual([
      { name: "shop" },
      { name: "shop (key 2)" },
    ]);
  });

  test("leaves alone what was put away before", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    writeFileSync(`${file}.moved`, "the database of last year");
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("ponte.db.moved already") });
    expect(readFileSync(`${file}.moved`, "utf8")).toBe("the database of last year");
    expect([existsSync(file), await target.db.$count(target.db.tables.pools)]).toEqual([true, 0]);
  });

  test("leaves nothing behind where it is killed, and can be done again", async () => {
    await makeSource(fillTables);
    const command = ["bun", join(import.meta.dir, "../../src/cli/main.ts"), "move", "--from", file];
    await target.db.transaction(async (tx) => {
      // Pools, bots and visits are in by then.
      await tx.rows(sql`lock table telegram_updates in share mode`);
      const child = Bun.spawn(command, { env: { ...process.env, ...environment } });
      await untilHeldUp(target.db, child.exited);
      child.kill("SIGKILL");
      expect(await child.exited).not.toBe(0);
    });
    expect(await target.db.$count(target.db.tables.pools)).toBe(0);
    expect(await move()).toMatchObject({ code: 0 });
    expect(await target.db.$count(target.db.tables.telegramUpdates)).toBe(2);
  });

  test("knows what it copied before it was killed, and could not put away", async () => {
    await makeSource(async (db) => {
      await addPool(db, { slug: "summer" });
      await ensureDatabaseId(db);
    });
    expect(await move()).toMatchObject({ code: 0 });
    renameSync(`${file}.moved`, file);
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringContaining("is in this Postgres already"),
    });
    expect(await target.db.$count(target.db.tables.pools)).toBe(1);
  });

  test("copies all or nothing: what Postgres does not take is named, and the file stays", async () => {
    await makeSource(async (db) => {
      await addPool(db, { slug: "summer" });
      const healthReason = sql<string>`'cut' || char(0) || 'off'`;
      await db.transaction((tx) => tx.update(db.tables.bots).set({ healthReason }));
    });
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("bots: its rows 1 to 1") });
    expect(await target.db.$count(target.db.tables.pools)).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  test.each(["", "create table settings (theirs text)"])(
    "leaves a file of others alone: %p",
    async (made) => {
      const theirs = new SqliteClient(file);
      theirs.run(`pragma user_version = 1; ${made}`);
      theirs.close();
      const before = readFileSync(file);
      const { code, err } = await move();
      expect({ code, err }).toMatchObject({
        code: 1,
        err: expect.stringContaining("no database of Ponte's"),
      });
      expect(readFileSync(file)).toEqual(before);
    },
  );

  test("says that all is there where the file cannot be put away", async () => {
    // One letter more, and the name is too long for a file.
    const longest = join(dataDir, "p".repeat(255 - ".moved".length + 1));
    await makeSource((db) => addPool(db, { slug: "summer" }));
    renameSync(file, longest);
    const { code, err } = await ponte(["move", "--from", longest], environment);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("is in this Postgres now") });
    expect(await target.db.$count(target.db.tables.pools)).toBe(1);
  });

  test("says whom to log in as where the tables are another user's", async () => {
    await makeSource((db) => addPool(db, { slug: "summer" }));
    const role = `ponte_app_${crypto.randomUUID().replaceAll("-", "")}`;
    const owner = postgres(target.url, { max: 1, onnotice: () => undefined });
    await owner.unsafe(`create role ${role} login`);
    try {
      const { pathname } = new URL(target.url);
      for (const grant of grantStatements(role, pathname.slice(1), target.db.tables)) {
        await owner.unsafe(grant);
      }
      const url = new URL(target.url);
      url.username = role;
      const { code, err } = await ponte(["move", "--from", file], { ...environment, DATABASE_URL: url.href });
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("are another user's") });
    } finally {
      await owner.unsafe(`drop owned by ${role}`);
      await owner.unsafe(`drop role ${role}`);
      await owner.end();
    }
  });

  test("stays where it is with another key than the one that sealed its tokens", async () => {
    await makeSource(async () => undefined);
    await addPoolWithToken({ DATABASE_URL: file, DATA_DIR: dataDir });
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("sealed with another key") });
    const { APP_SECRET: _, ...withItsKey } = environment;
    expect(await ponte(["move", "--from", file], withItsKey)).toMatchObject({ code: 0 });
  });

  test("stays, too, where it sealed bots' tokens alone", async () => {
    await makeSource(async (db) => {
      await addPool(db, { slug: "summer" });
      const token = createSecrets(new Uint8Array(32)).seal("7:a-token", "bots.token");
      await db.transaction((tx) => tx.update(db.tables.bots).set({ token }));
    });
    const { code, err } = await move();
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("sealed with another key") });
  });
});

test.skipIf(testDialect === "postgres")("ponte move wants a Postgres to move to", async () => {
  await makeSource(async () => undefined);
  const { code, err } = await move();
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("Let it name the Postgres") });
});

test("ponte move leaves a file of an older version as it is where Postgres does not answer", async () => {
  await makeSource((db) =>
    db.transaction((tx) => tx.delete(db.tables.settings).where(eq(db.tables.settings.key, VIEWS_KEY))),
  );
  const before = readFileSync(file);
  expect(await ponte(["move", "--from", file], { ...environment, DATABASE_URL: NOWHERE })).toMatchObject({
    code: 1,
    err: expect.stringContaining("cannot be reached"),
  });
  expect(readFileSync(file)).toEqual(before);
});

test.each([
  [[], 2, "give the SQLite file"],
  [["--from", "nowhere.db"], 1, "no database at nowhere.db"],
  [["--from", "."], 1, ". cannot be opened"],
])("ponte move %p is refused", async (flags, code, words) => {
  expect(await ponte(["move", ...flags], { ...environment, DATABASE_URL: NOWHERE })).toMatchObject({
    code,
    err: expect.stringContaining(words),
  });
});
