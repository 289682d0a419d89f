import { expect, test } from "bun:test";
import { advance, NO_WATERMARKS } from "../../src/rollups/watermarks.ts";

test("what is looked at begins half a minute behind the newest: smaller numbers may be committed until then", () => {
  const firstMs = Date.parse("2026-03-01T12:00:00Z");
  const first = advance(NO_WATERMARKS.sessions, 100, firstMs);
  expect(first.settled).toBe(0);
  expect(advance(first, 120, firstMs + 29_999)).toBe(first);
  const second = advance(first, 150, firstMs + 30_000);
  expect(second.settled).toBe(100);
  expect(advance(second, 170, firstMs + 59_999)).toBe(second);
  // The newest rows were deleted: their numbers were looked at all the same.
  expect(advance(second, 90, firstMs + 60_000)).toMatchObject({ settled: 150, newest: 150 });
});
