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
