import { expect, test } from "bun:test";
import fc from "fast-check";
import { createHistogram } from "../../src/metrics/histogram.ts";

const X = { name: "x_seconds", help: "How long.", scale: 1_000 };

test("says a histogram in Prometheus' words, in seconds, with buckets that add up", () => {
  const timings = createHistogram({ ...X, bounds: [1, 10, 100] });
  const series = timings.series({ route: "/a/:b" });
  for (const ms of [0.5, 1, 7, 250]) series.observe(ms);
  expect(timings.text()).toBe(
    [
      "# HELP x_seconds How long.",
      "# TYPE x_seconds histogram",
      'x_seconds_bucket{route="/a/:b",le="0.001"} 2',
      'x_seconds_bucket{route="/a/:b",le="0.01"} 3',
      'x_seconds_bucket{route="/a/:b",le="0.1"} 3',
      'x_seconds_bucket{route="/a/:b",le="+Inf"} 4',
      'x_seconds_sum{route="/a/:b"} 0.2585',
      'x_seconds_count{route="/a/:b"} 4',
      "",
    ].join("\n"),
  );
});

test("the same labels are the same series, and no label value breaks a line", () => {
  const timings = createHistogram({ ...X, bounds: [1] });
  expect(timings.series({ a: "b" })).toBe(timings.series({ a: "b" }));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "\n", "\\", '"', "é") }), (value) => {
      const one = createHistogram({ ...X, bounds: [1] });
      one.series({ a: value }).observe(5);
      // HELP, TYPE, two buckets, sum, count, and the end of the last line.
      const lines = one.text().split("\n");
      expect(lines).toHaveLength(7);
      for (const line of lines.slice(2, 6)) expect(line).toMatch(/^x_seconds_\w+\{a="(?:[^"\\]|\\.)*"/s);
    }),
  );
});

test("without labels a series has no braces, and without a scale what was observed stands as it is", () => {
  const sizes = createHistogram({ name: "x_visits", help: "How many.", bounds: [1, 10] });
  sizes.series().observe(3);
  expect(sizes.text().split("\n").slice(2)).toEqual([
    'x_visits_bucket{le="1"} 0',
    'x_visits_bucket{le="10"} 1',
    'x_visits_bucket{le="+Inf"} 1',
    "x_visits_sum 3",
    "x_visits_count 1",
    "",
  ]);
});
