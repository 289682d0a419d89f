import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../../src/db/open.ts";
import { createTestDatabase, testDialect } from "../../support/database.ts";

test.skipIf(testDialect === "sqlite")(
  "Postgres itself ends a statement that goes on for a minute, and a transaction that nobody goes on with",
  async () => {
    const own = await createTestDatabase({ migrated: false });
    const asked = sql`select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`;
    const limits = [{ statement: "1min", idle: "1min" }];
    expect(await own.db.rows(asked)).toEqual(limits);
    expect(await own.db.transaction((tx) => tx.rows(asked))).toEqual(limits);
    await own.dispose();
  },
);

// The driver by itself waits up to twenty seconds after so many failures, and whoever asks waits with it.
test("a Postgres that is away is asked again soon, however often in vain", async () => {
  const db = await openDatabase({ url: "postgres://127.0.0.1:1/nowhere", maxConnections: 1 });
  for (let n = 0; n < 9; n++) await expect(db.rows(sql`select 1`)).rejects.toThrow("ECONNREFUSED");
  await db.close();
}, 15_000);
