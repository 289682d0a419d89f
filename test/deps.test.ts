import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createTestApp } from "./support/app.ts";
import { createTestDatabase, testDialect } from "./support/database.ts";
import { until } from "./support/until.ts";

test(`a start that could not migrate, on ${testDialect}, migrates once nothing is in the way any more`, async () => {
  const own = await createTestDatabase({ migrated: false });
  await own.db.transaction((tx) => tx.rows(sql`create table pools (somebody_elses integer)`));
  const { request, logLines, dispose } = await createTestApp({ DATABASE_URL: own.url });
  const logged = (words: string) => logLines.some(({ msg }) => msg?.includes(words));
  const migrations = async () => (await (await request("/readyz")).json()).checks.migrations;
  try {
    expect(await migrations()).toMatchObject({ ok: false });
    expect(logged("the database could not be brought up to date")).toBe(true);
    await own.db.transaction((tx) => tx.rows(sql`drop table pools`));
    await until(() => logged("the database is up to date now"));
    expect(await migrations()).toMatchObject({ ok: true });
  } finally {
    await dispose();
    await own.dispose();
  }
}, 60_000);
