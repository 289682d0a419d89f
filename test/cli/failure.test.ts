import { expect, test } from "bun:test";
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

test("a database that another program writes to is told what to do about", () => {
  const busy = Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" });
  expect(failureText(busy, {})).toStartWith("database is locked\nAnother program is writing to it");
});
