import { expect, setSystemTime, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq, sql } from "drizzle-orm";
import { openSpool } from "../src/db/spool/spool.ts";
import { recordVisits } from "../src/redirect/record-visits.ts";
import { createTestApp } from "./support/app.ts";
import { createTestDatabase, testDialect } from "./support/database.ts";
import { addPool } from "./support/pools.ts";
import { until } from "./support/until.ts";
import { visitsOf } from "./support/visits.ts";

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

test(`a visit that was erased while a process brought it in, which was killed then, is erased at the next start, however late, on ${testDialect}`, async () => {
  const own = await createTestDatabase();
  const { sessions } = own.db.tables;
  const visit = visitsOf(await addPool(own.db, { slug: "open" }))("fbclid=KilledClick");
  await own.db.transaction((tx) => recordVisits(tx, own.db.tables, [visit]));
  const dataDir = mkdtempSync(join(tmpdir(), "ponte-killed-"));
  const spool = openSpool(join(dataDir, "spool.db"));
  spool.forget([visit.trackingToken]);
  setSystemTime(new Date(Date.now() + 2 * 86_400_000));
  spool.endForgetting();
  setSystemTime();
  spool.close();
  const { dispose } = await createTestApp({ DATABASE_URL: own.url, DATA_DIR: dataDir });
  const isErased = async () => {
    const [row] = await own.db.select().from(sessions).where(eq(sessions.trackingToken, visit.trackingToken));
    return row?.consent === "erased" && row.fbclid === null;
  };
  try {
    await until(isErased);
  } finally {
    await dispose();
    rmSync(dataDir, { recursive: true });
    await own.dispose();
  }
}, 60_000);
