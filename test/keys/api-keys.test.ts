import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { and, eq, isNull, sql } from "drizzle-orm";
import { createApiKey, createApiKeyOnce } from "../../src/keys/api-keys.ts";
import { apiKeyDraftSchema } from "../../src/keys/key-rules.ts";
import { newId } from "../../src/platform/ids.ts";
import { createTestDatabase, type TestDatabase, testDialect } from "../support/database.ts";
import { migrateUntil } from "../support/migrate-until.ts";

let own: TestDatabase;
beforeAll(async () => {
  own = await createTestDatabase();
});
afterAll(() => own.dispose());

const now = () => new Date();
const kindsOf = (results: readonly { readonly kind: string }[]) => results.map(({ kind }) => kind).sort();

async function liveOnes(name: string): Promise<number> {
  const { apiKeys } = own.db.tables;
  return own.db.$count(apiKeys, and(eq(apiKeys.name, name), isNull(apiKeys.revokedAt)));
}

describe(`a key's name on ${testDialect}`, () => {
  test("goes to one of those who want it in the same moment", async () => {
    const deps = { db: own.db, now };
    const draft = { name: "twin", scope: "read" } as const;
    const made = await Promise.all([
      createApiKey(deps, "cli", draft),
      createApiKey(deps, "api:shop", draft),
      createApiKeyOnce(deps, "console", draft, newId()),
      createApiKeyOnce(deps, "console", draft, newId()),
    ]);
    expect(kindsOf(made)).toEqual(["created", "name_taken", "name_taken", "name_taken"]);
    expect(await liveOnes("twin")).toBe(1);
  });

  test("is no other's where one form asks for it twice in the same moment", async () => {
    const formId = newId();
    const draft = { name: "tapped", scope: "read" } as const;
    const made = await Promise.all(
      [1, 2, 3].map(() => createApiKeyOnce({ db: own.db, now }, "console", draft, formId)),
    );
    expect(kindsOf(made)).toEqual(["created", "made_already", "made_already"]);
    expect(await liveOnes("tapped")).toBe(1);
  });

  test.each(["environment", " Environment "])("is not %j, which the audit log calls API_KEY", (name) => {
    const parsed = apiKeyDraftSchema.safeParse({ name, scope: "read" });
    expect(parsed.error?.issues).toMatchObject([
      { path: ["name"], message: expect.stringContaining("API_KEY") },
    ]);
  });
});

describe(`keys of an older version on ${testDialect}`, () => {
  test("go on working, each under a name of its own", async () => {
    const old = await createTestDatabase({ migrated: false });
    await migrateUntil("key_names", old.url);
    const { instant } = old.db.dialect;
    const names = ["shop", "shop", "environment", "shop", "other"];
    for (const [i, name] of names.entries()) {
      const revokedAt = i === 0 ? instant(now()) : sql`null`;
      await old.db.transaction((tx) =>
        tx.rows(sql`
          insert into api_keys (name, key_hash, hint, scope, created_at, revoked_at)
          values (${name}, ${`hash ${i}`}, 'hint', 'read', ${instant(now())}, ${revokedAt}) returning id`),
      );
    }
    await old.db.migrate();
    const { apiKeys } = old.db.tables;
    const rows = await old.db.select({ name: apiKeys.name }).from(apiKeys).orderBy(apiKeys.id);
    expect(rows.map(({ name }) => name)).toEqual([
      "shop",
      "shop",
      "environment (key 3)",
      "shop (key 4)",
      "other",
    ]);
    await old.dispose();
  });
});
