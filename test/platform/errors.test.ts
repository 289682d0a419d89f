import { expect, test } from "bun:test";
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
