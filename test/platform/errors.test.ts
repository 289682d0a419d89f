import { expect, test } from "bun:test";
import { DrizzleQueryError } from "drizzle-orm/errors";
import { causesOf, codeOf, errorText } from "../../src/platform/errors.ts";

const withCode = (message: string, code: unknown) => Object.assign(new Error(message), { code });

test("an error's causes come after it, each once, and what is no error ends them", () => {
  const inner = new Error("inner", { cause: "a text" });
  const outer = new Error("outer", { cause: inner });
  expect(causesOf(outer)).toEqual([outer, inner]);
  inner.cause = outer;
  expect(causesOf(outer)).toEqual([outer, inner]);
  expect(causesOf("a text")).toEqual([]);
});

test("a code is a name; a number, as old DOM exceptions have, is none", () => {
  expect(codeOf(withCode("refused", "ECONNREFUSED"))).toBe("ECONNREFUSED");
  expect(codeOf(withCode("timed out", 23))).toBe("");
  expect(errorText(withCode("refused", "ECONNREFUSED"))).toBe("ECONNREFUSED: refused");
  expect(errorText(withCode("ECONNRESET: closed", "ECONNRESET"))).toBe("ECONNRESET: closed");
  expect(errorText(new DOMException("timed out", "TimeoutError"))).toBe("timed out");
  expect(errorText("a text")).toBe("a text");
});

test("a failed statement's text is what the database said, never the values", () => {
  const said = withCode("no such table: bot_users", "42P01");
  const failed = (cause?: Error) => new DrizzleQueryError("select 1 where name = $1", ["Ana"], cause);
  expect(errorText(failed(said))).toBe("42P01: no such table: bot_users");
  expect(errorText(failed())).toBe("failed query: select 1 where name = $1");
});
