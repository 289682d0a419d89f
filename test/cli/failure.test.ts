import { describe, expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { failureText } from "../../src/cli/failure.ts";

test.each([
  ["DATABASE_URL", "postgres://ponte:hush-hush@db/ponte"],
  ["DATABASE_DIRECT_URL", "postgres://ponte:hush-hush@db:5432/ponte"],
  ["REDIS_URL", "rediss://:hush-hush@cache:6380"],
  ["APP_SECRET", "hush-hush"],
])("the secret of %s is not shown, wherever in the error it stands", (name, value) => {
  const cause = new Error(`refused to log in with hush-hush (${value})`);
  const shown = failureText(new Error("Failed query: select 1", { cause }), { [name]: value });
  expect(shown).toStartWith("refused to log in with [redacted] (");
  expect(shown).not.toContain("hush-hush");
});

test("an error of a URL that is no URL does not show its password either", () => {
  const url = "postgres://ponte:100%/hush-hush@db/ponte";
  expect(failureText(new TypeError(`"${url}" cannot be parsed`), { DATABASE_URL: url })).toBe(
    '"postgres://ponte:[redacted]@db/ponte" cannot be parsed',
  );
});

describe("what to do about a failure of the database is said", () => {
  test.each([
    ["42P01", "The database is not up to date."],
    ["42703", "The database is not up to date."],
    ["42501", "A right is missing."],
    ["SQLITE_BUSY", "Another program is writing to it"],
    ["SQLITE_BUSY_SNAPSHOT", "Another program is writing to it"],
    ["SQLITE_LOCKED", "Another program is writing to it"],
    ["SQLITE_CANTOPEN", "The database cannot be reached."],
    ["ECONNREFUSED", "The database cannot be reached."],
    ["EAI_AGAIN", "The database cannot be reached."],
    ["ETIMEDOUT", "The database cannot be reached."],
    ["CONNECT_TIMEOUT", "The database cannot be reached."],
    ["08006", "The database cannot be reached."],
    ["28P01", "The database cannot be reached."],
    ["3D000", "The database cannot be reached."],
    ["53300", "The database cannot be reached."],
    ["57P03", "The database cannot be reached."],
    ["25006", "The database can only be read"],
    ["SQLITE_READONLY", "The database can only be read"],
    ["SQLITE_READONLY_DBMOVED", "The database can only be read"],
    ["53100", "Make room on its disk."],
    ["SQLITE_FULL", "Make room on its disk."],
    ["ENOSPC", "Make room on its disk."],
    ["EDQUOT", "Make room on its disk."],
    ["SQLITE_IOERR_SHMSIZE", "Make room on its disk; where it has room"],
  ])("where it says %s", (code, todo) => {
    const cause = Object.assign(new Error("words of the driver"), { code });
    const failed = new DrizzleQueryError("select 1", [], cause);
    expect(failureText(failed, {})).toStartWith(`words of the driver\n${todo}`);
  });

  test("where SQLite misses a column, which has no code of its own", () => {
    const failed = new DrizzleQueryError("select 1", [], new Error("no such column: a"));
    expect(failureText(failed, {})).toStartWith("no such column: a\nThe database is not up to date.");
  });

  test("where PgBouncer takes no settings from us", () => {
    const cause = Object.assign(new Error("unsupported startup parameter: statement_timeout"), {
      code: "08P01",
    });
    const failed = new DrizzleQueryError("select 1", [], cause);
    expect(failureText(failed, {})).toContain(
      "\nA pooler is at DATABASE_URL: set DATABASE_POOLER=transaction",
    );
  });

  test.each(["23505", ""])("but not where %p says that what was written is at fault", (code) => {
    expect(failureText(Object.assign(new Error("no"), { code }), {})).toBe("no");
  });
});
