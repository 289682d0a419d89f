import { expect, test } from "bun:test";
import { beginOf, moveMark, NO_MARKS } from "../../src/rollups/marks.ts";

test("a look begins anew at rows half a minute old: those with smaller numbers may be committed until then", () => {
  const firstMs = Date.parse("2026-03-01T12:00:00Z");
  const first = moveMark(NO_MARKS.sessions, 100, firstMs);
  expect(beginOf(first, firstMs + 29_999)).toBe(0);
  expect(moveMark(first, 120, firstMs + 29_999)).toBe(first);
  const second = moveMark(first, 150, firstMs + 30_000);
  expect(beginOf(first, firstMs + 30_000)).toBe(100);
  expect(beginOf(second, firstMs + 59_999)).toBe(100);
});
