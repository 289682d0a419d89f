import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { createRetention } from "../../src/outbox/retention.ts";
import { firstIdAt } from "../../src/platform/ids.ts";
import { createLog } from "../../src/platform/log.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";

const DAY_MS = 86_400_000;

describe.skipIf(testDialect === "sqlite")("a Postgres that sorts as Danes do, aa after z,", () => {
  let own: TestDatabase;
  let url: string;
  let db: Database;
  const name = `ponte_test_danish_${crypto.randomUUID().replaceAll("-", "")}`;
  const asAdmin = async (statement: string) => {
    const admin = postgres(own.url, { max: 1, onnotice: () => undefined });
    await admin.unsafe(statement).finally(() => admin.end());
  };
  beforeEach(async () => {
    own = await createTestDatabase({ migrated: false });
    await asAdmin(`create database ${name} template template0 locale_provider icu icu_locale 'da'`);
    url = Object.assign(new URL(own.url), { pathname: `/${name}` }).href;
    db = await openDatabase({ url });
  });
  afterEach(async () => {
    await db.close();
    await asAdmin(`drop database ${name} with (force)`);
    await own.dispose();
  });

  test("gets no tables: visits could not be looked up by their time", async () => {
    await expect(db.migrate()).rejects.toThrow("Danish, for one, puts aa after z");
  });

  test("goes on where it has some, and retention removes no young visit", async () => {
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
});
