import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { eq, sql } from "drizzle-orm";
import postgres from "postgres";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import { listOutbox } from "../../src/outbox/outbox-rows.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { addRows } from "../support/outbox.ts";

/** What somebody may have set for a server, a database or a role; our statements go by the defaults. */
const SETTINGS = [
  "datestyle to 'German, DMY'",
  "standard_conforming_strings to off",
  "default_transaction_isolation to 'serializable'",
  "timezone to 'Asia/Kolkata'",
];

describe.skipIf(testDialect === "sqlite")("a Postgres that is set otherwise", () => {
  let own: TestDatabase;
  let db: Database;
  beforeEach(async () => {
    own = await createTestDatabase();
    const admin = postgres(own.url, { max: 1, onnotice: () => undefined });
    const name = new URL(own.url).pathname.slice(1);
    for (const setting of SETTINGS) await admin.unsafe(`alter database ${name} set ${setting}`);
    await admin.end();
    db = await openDatabase({ url: own.url });
  });
  afterEach(async () => {
    await db.close();
    await own.dispose();
  });

  test("gives times back as they were", async () => {
    const at = new Date("2026-02-03T04:05:06.789Z");
    await addRows(db, 1, { createdAt: at });
    const [row] = await db.select({ at: db.tables.outbox.createdAt }).from(db.tables.outbox);
    expect(row?.at).toEqual(at);
  });

  test("finds texts with signs of their own", async () => {
    await addRows(db, 1, { status: "dead", lastError: "100%_of\\it's" });
    await addRows(db, 1, { status: "dead", lastError: "100 of its" });
    const { items } = await listOutbox(db, { text: "%_of\\it's" }, { limit: 10 });
    expect(items).toHaveLength(1);
  });

  test("lets changes of one row wait for each other, and fails neither", async () => {
    await addRows(db, 1, {});
    const { outboxProgress } = db.tables;
    const bump = () =>
      db.transaction(async (tx) => {
        await tx.update(outboxProgress).set({ attempts: sql`${outboxProgress.attempts} + 1` });
      });
    await Promise.all(Array.from({ length: 10 }, bump));
    expect(await db.$count(outboxProgress, eq(outboxProgress.attempts, 10))).toBe(1);
  });
});
