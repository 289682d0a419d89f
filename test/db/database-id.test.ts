import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { ensureDatabaseId, findDatabaseId } from "../../src/db/database-id.ts";
import { openDatabase } from "../../src/db/open.ts";
import { loadPools } from "../../src/pools/load-pools.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";
import { addPool } from "../support/pools.ts";

test(`a database on ${testDialect} has one id, whoever asks first, and another one has another`, async () => {
  const own = await createTestDatabase();
  const other = await createTestDatabase();
  expect(await findDatabaseId(own.db)).toBeNull();
  const processes = await Promise.all(Array.from({ length: 4 }, () => openDatabase({ url: own.url })));
  const ids = new Set(await Promise.all(processes.map(ensureDatabaseId)));
  expect(ids.size).toBe(1);
  expect(ids).toContain(await findDatabaseId(own.db));
  expect(ids).not.toContain(await ensureDatabaseId(other.db));
  await Promise.all(processes.map((db) => db.close()));
  await own.dispose();
  await other.dispose();
});

test(`pools on ${testDialect} are read all the same where no id can be read or made`, async () => {
  const own = await createTestDatabase();
  await addPool(own.db, { slug: "open" });
  await own.db.transaction((tx) => tx.rows(sql`alter table settings rename to elsewhere`));
  expect(await loadPools(own.db)).toMatchObject([{ slug: "open", database: null }]);
  await own.db.transaction((tx) => tx.rows(sql`alter table elsewhere rename to settings`));
  expect(await loadPools(own.db)).toMatchObject([{ database: expect.any(String) }]);
  await own.dispose();
});
