import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { findBotRow } from "../../src/bots/bot-view.ts";
import { checkEncoding } from "../../src/cli/doctor/check-encoding.ts";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { firstIdAt } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createRetention } from "../../src/retention/retention.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";
import { addRows } from "../support/outbox.ts";
import { addPool } from "../support/pools.ts";

const DAY_MS = 86_400_000;

describe.skipIf(testDialect === "sqlite")("Postgres in another language", () => {
  let own: TestDatabase;
  let url: string;
  let db: Database;
  const name = `ponte_test_language_${crypto.randomUUID().replaceAll("-", "")}`;
  const asAdmin = async (statement: string) => {
    const admin = postgres(own.url, { max: 1, onnotice: () => undefined });
    await admin.unsafe(statement).finally(() => admin.end());
  };
  const makeDatabase = (language: string) => make(`locale_provider icu icu_locale '${language}'`);
  async function make(settings: string): Promise<void> {
    await asAdmin(`create database ${name} template template0 ${settings}`);
    url = Object.assign(new URL(own.url), { pathname: `/${name}` }).href;
    db = await openDatabase({ url });
  }
  beforeEach(async () => {
    own = await createTestDatabase({ migrated: false });
  });
  afterEach(async () => {
    await db.close();
    await asAdmin(`drop database ${name} with (force)`);
    await own.dispose();
  });

  test.each(["LATIN1", "SQL_ASCII"])(
    "of %s letters, it gets no tables: a visit with an emoji could not be kept",
    async (encoding) => {
      await make(`encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`);
      await expect(db.migrate()).rejects.toThrow(`keeps text as ${encoding}`);
    },
  );

  test("of LATIN1 letters, with tables already, it goes on, and doctor says that it is to be made anew", async () => {
    await make("encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'");
    await migrateUntil("_bot_names", url);
    await db.migrate();
    expect(await checkEncoding(db)).toMatchObject([
      { level: "bad", text: expect.stringContaining("LATIN1"), todo: expect.stringContaining("'UTF8'") },
    ]);
  });

  test("as Danes sort, aa after z, it gets no tables: visits could not be looked up by their time", async () => {
    await makeDatabase("da");
    await expect(db.migrate()).rejects.toThrow("Danish, for one, puts aa after z");
  });

  test("a Danish one that has tables goes on, and retention removes no young visit", async () => {
    await makeDatabase("da");
    await migrateUntil("_bot_names", url);
    await db.migrate();
    // Retention's cutoff begins with aa at some digit: to Danes, every token since is smaller.
    const cutoffMs = 0x019aa0000000;
    const days = (Date.now() - cutoffMs) / DAY_MS;
    const times = [cutoffMs - DAY_MS, 0x019b00000000];
    for (const atMs of times) {
      const [trackingToken, at] = [firstIdAt(atMs), new Date(atMs)];
      const values = { trackingToken, rootEventId: trackingToken, poolId: 1, botId: 1 };
      await db.transaction((tx) =>
        tx.insert(db.tables.sessions).values({ ...values, pageviewTs: at, createdAt: at, updatedAt: at }),
      );
    }
    await createRetention({ db, log: createLog("silent"), days, pauseMs: 0 }).run();
    const left = await db.select({ at: db.tables.sessions.createdAt }).from(db.tables.sessions);
    expect(left.map(({ at }) => at.getTime())).toEqual(times.slice(1));
  });

  test("in Turkish, where a small I has no dot, names and texts are found as they are spelled", async () => {
    await makeDatabase("tr");
    await db.migrate();
    await addPool(db, { slug: "open" }, [{ username: "SHOPI_bot" }]);
    expect(await findBotRow(db, db.tables, "@SHOPI_bot")).toMatchObject({ username: "SHOPI_bot" });
    await addRows(db, 1, { status: "dead", lastError: "INVALID parameter" });
    const { items } = await listOutbox(db, { text: "INVALID" }, { limit: 10 });
    expect(items).toHaveLength(1);
  });
});
