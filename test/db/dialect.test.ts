import { expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createTestDatabase, testDialect } from "../support/database.ts";

test(`a text is found in a list whatever is in it, on ${testDialect}`, async () => {
  const own = await createTestDatabase({ migrated: false });
  const { dialect } = own.db;
  const texts = ['a "quoted" one', "back\\slash", "comma, {brace}", "null", ""];
  for (const text of [...texts, "another"]) {
    const isListed = dialect.anyText(sql`cast(${text} as text)`, dialect.textList(texts));
    const found = await own.db.rows(sql`select 1 as one where ${isListed}`);
    expect([text, found.length]).toEqual([text, texts.includes(text) ? 1 : 0]);
  }
  await own.dispose();
});

test(`what is written down as now lies never ahead of it, on ${testDialect}`, async () => {
  const own = await createTestDatabase();
  const { now } = own.db.dialect;
  const write = sql`
    insert into settings (key, value, updated_at) values ('test', '', ${now})
    on conflict (key) do update set updated_at = excluded.updated_at returning updated_at > ${now} as ahead`;
  for (let i = 0; i < 30; i++) {
    const [row] = await own.db.transaction((tx) => tx.rows<{ ahead: boolean | number }>(write));
    expect(Boolean(row?.ahead)).toBe(false);
  }
  await own.dispose();
});
