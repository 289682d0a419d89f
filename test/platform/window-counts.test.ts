import { expect, test } from "bun:test";
import { createWindowCounts } from "../../src/platform/window-counts.ts";

test("a window that has as many keys as it may begins anew, and only the latest two are kept", () => {
  const counts = createWindowCounts(2);
  for (const key of ["a", "b"]) counts.add(key, 0);
  expect(["a", "b", "c"].map((key) => counts.of(key, 0))).toEqual([1, 1, 0]);
  expect(counts.add("c", 0)).toBe(1);
  expect(["a", "b"].map((key) => counts.of(key, 0))).toEqual([0, 0]);
  for (const windowMs of [1, 2]) counts.add("a", windowMs);
  expect([0, 1, 2].map((windowMs) => counts.of(windowMs === 0 ? "c" : "a", windowMs))).toEqual([0, 1, 1]);
});

test("a count is raised to what others counted, never lowered, and none is begun by it", () => {
  const counts = createWindowCounts(2);
  counts.add("a", 0);
  for (const [least, expected] of [
    [2, 2],
    [1, 2],
    [3, 3],
  ] as const) {
    counts.raise("a", 0, least);
    expect(counts.of("a", 0)).toBe(expected);
  }
  counts.raise("b", 0, 5);
  expect(counts.of("b", 0)).toBe(0);
});
