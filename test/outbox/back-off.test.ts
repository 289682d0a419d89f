import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BREAKER_THRESHOLD,
  backOffCeilingMs,
  backOffMs,
  breakerRestMs,
  HIGHEST_CEILING_AT,
  throttleRestMs,
} from "../../src/outbox/back-off.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

describe("the schedule of retries", () => {
  test("grows up to its highest wait, and no more", () => {
    expect(backOffCeilingMs(HIGHEST_CEILING_AT - 1)).toBeLessThan(HOUR);
    expect(backOffCeilingMs(HIGHEST_CEILING_AT)).toBe(HOUR);
  });

  test.each([
    [1, 2 * SECOND],
    [2, 4 * SECOND],
    [3, 8 * SECOND],
    [4, 16 * SECOND],
    [5, 32 * SECOND],
    [6, 64 * SECOND],
    [7, 128 * SECOND],
    [8, 256 * SECOND],
    [9, 512 * SECOND],
    [10, 1_024 * SECOND],
    [11, 2_048 * SECOND],
    [12, HOUR],
    [13, HOUR],
    [1_000, HOUR],
  ])("after attempt %d a row waits at most %d ms", (attempts, ceilingMs) => {
    expect(backOffCeilingMs(attempts)).toBe(ceilingMs);
    expect(backOffMs(attempts, 0)).toBe(500);
    expect(backOffMs(attempts, 0.5)).toBe(Math.round(500 + (ceilingMs - 500) / 2));
  });

  test("any attempt and any chance give a wait between half a second and the ceiling", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, random) => {
          const ms = backOffMs(n, random);
          expect(ms).toBeGreaterThanOrEqual(500);
          expect(ms).toBeLessThanOrEqual(backOffCeilingMs(n));
          expect(Number.isInteger(ms)).toBe(true);
        },
      ),
    );
  });

  test("sixty attempts reach past a day on average, and no number of them is the last", () => {
    const averageMs = Array.from({ length: 60 }, (_, i) => backOffMs(i + 1, 0.5)).reduce(
      (sum, ms) => sum + ms,
      0,
    );
    expect(averageMs).toBeGreaterThan(24 * HOUR);
  });
});

test("a breaker opens at the fifth failure in a row, for a second and then longer, up to a minute", () => {
  expect([1, 2, 3, 4].map(breakerRestMs)).toEqual([0, 0, 0, 0]);
  const rests = [5, 6, 7, 8, 9, 10, 11, 12, 100].map(breakerRestMs);
  expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * SECOND));
  expect(BREAKER_THRESHOLD).toBe(5);
});

test("a route told to slow down rests as it was asked to, and never less than a floor that grows to a minute", () => {
  expect(throttleRestMs(1, 120_000)).toBe(120_000);
  expect(throttleRestMs(1, null)).toBe(60_000);
  const rests = [1, 2, 3, 4, 5, 6, 7, 8, 100_000].map((n) => throttleRestMs(n, 0));
  expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * SECOND));
});
