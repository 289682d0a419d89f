import { expect, test } from "bun:test";
import fc from "fast-check";
import { judge, median, percentile, spread } from "../../scripts/bench/statistics.ts";

const figures = fc.array(fc.double({ min: 0.001, max: 1e9, noNaN: true }), { minLength: 1 });

test("the median is the middle figure, and of an even number the mean of the middle two", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([10, 2, 4, 100])).toBe(7);
  expect(median([3])).toBe(3);
});

test("of no figures there is no median and no percentile", () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => percentile([], 99)).toThrow(RangeError);
});

test("half of the figures are no bigger than the median, half no smaller", () => {
  fc.assert(
    fc.property(figures, (values) => {
      const middle = median(values);
      expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
    }),
  );
});

test("a percentile is one of the figures, the smallest that is not exceeded by so many", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(hundred, 50)).toBe(50);
  expect(percentile(hundred, 99)).toBe(99);
  expect(percentile(hundred, 100)).toBe(100);
  expect(percentile([7], 1)).toBe(7);
  fc.assert(
    fc.property(figures, fc.integer({ min: 1, max: 100 }), (values, percent) => {
      const value = percentile(values, percent);
      expect(values).toContain(value);
      const within = values.filter((other) => other <= value).length;
      expect(within / values.length).toBeGreaterThanOrEqual(percent / 100 - 1e-9);
    }),
  );
});

test("figures are not put into another order", () => {
  const values = [3, 1, 2];
  median(values);
  percentile(values, 50);
  expect(values).toEqual([3, 1, 2]);
});

test("the spread is how far the figures lie apart, as a share of their median", () => {
  expect(spread([90, 100, 110])).toBeCloseTo(0.2);
  expect(spread([5])).toBe(0);
});

test.each([
  { kind: "at-least", ratio: 0.3, ours: [31], reached: true },
  { kind: "at-least", ratio: 0.3, ours: [30], reached: true },
  { kind: "at-least", ratio: 0.3, ours: [29], reached: false },
  { kind: "at-most", ratio: 1.3, ours: [130], reached: true },
  { kind: "at-most", ratio: 1.3, ours: [131], reached: false },
] as const)(
  "$ours against 100 with a bar of $kind $ratio: reached is $reached",
  ({ kind, ratio, ours, reached }) => {
    expect(judge(ours, [100], { kind, ratio }).reached).toBe(reached);
  },
);

test("the ratio is that of the medians: one wild round moves it little", () => {
  expect(judge([50, 50, 1], [100, 100, 100], { kind: "at-least", ratio: 0.5 })).toEqual({
    ratio: 0.5,
    reached: true,
  });
});
