import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableName, sql } from "drizzle-orm";
import { tablesOf } from "../../src/db/define-schema.ts";
import { createTestDatabase } from "../support/database.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/privacy.md"), "utf8");

/** Tables in which no visitor or buyer can stand: settings, operators, sums. */
const ABOUT_NOBODY = [
  "api_keys",
  "bots",
  "dispatchers",
  "gate_refusals",
  "offers",
  "operator_sessions",
  "outbox_routes",
  "pool_bots",
  "pools",
  "settings",
];

test("the page on privacy says of every table whether people stand in it, and its query runs", async () => {
  const own = await createTestDatabase();
  const names: string[] = tablesOf(own.db.tables).map((table) => getTableName(table));
  const unsaid = names.filter((name) => !ABOUT_NOBODY.includes(name) && !PAGE.includes(`\`${name}\``));
  expect(unsaid).toEqual([]);
  expect(ABOUT_NOBODY.filter((name) => !names.includes(name))).toEqual([]);
  const statement = /```sql\n(.*?);\n```/s.exec(PAGE)?.[1] ?? "";
  expect(await own.db.rows(sql.raw(statement))).toEqual([]);
  await own.dispose();
});
