import { expect, test } from "bun:test";
import type { BenchCase } from "../../scripts/bench/case.ts";
import { CASES } from "../../scripts/bench/cases.ts";
import { renderChart } from "../../scripts/bench/chart.ts";
import {
  entryOf,
  figure,
  renderReport,
  renderTable,
  reportSchema,
  withEntries,
} from "../../scripts/bench/report.ts";

const CASE: BenchCase = {
  name: "go",
  title: "`GET /go/:slug`",
  yardstick: "a bare `Bun.serve`",
  unit: "req/s",
  bar: { kind: "at-least", ratio: 0.3 },
  needs: [],
  run: async () => ({ ours: [], yardstick: [] }),
};
const WHEN = { at: new Date("2026-01-02T03:04:05Z"), commit: "abc1234", cpu: "Some CPU" };
const MACHINE = { cpu: "Some CPU", cores: 2, memoryGiB: 23.4, system: "Linux 6", versions: { Bun: "1.4.5" } };

test("a row says what was reached, against which bar, and whether it passed", () => {
  const passed = entryOf(
    CASE,
    { ours: [29_000, 31_000, 30_000], yardstick: [90_000, 100_000, 80_000] },
    WHEN,
  );
  expect(renderTable([passed]).split("\n").at(-1)).toBe(
    "| `GET /go/:slug` | 30 000 req/s (±3 %) | 90 000 req/s (±11 %) | 0.33 | ≥ 0.3 | pass |",
  );
  const missed = entryOf(CASE, { ours: [26_999], yardstick: [90_000] }, WHEN);
  expect(renderTable([missed])).toContain("| 0.30 | ≥ 0.3 | **miss** |");
});

test("a limit on the figure itself must hold as well as the ratio", () => {
  const memory: BenchCase = {
    ...CASE,
    unit: "MiB",
    bar: { kind: "at-most", ratio: 1.3 },
    limit: { atMost: 250 },
  };
  expect(entryOf(memory, { ours: [250], yardstick: [240] }, WHEN).reached).toBe(true);
  const big = entryOf(memory, { ours: [251], yardstick: [240] }, WHEN);
  expect(big.reached).toBe(false);
  expect(renderTable([big])).toContain("≤ 1.3, ≤ 250 MiB");
});

test.each([
  [1_234_567.8, "1 234 568"],
  [1_000, "1 000"],
  [999.6, "1000"],
  [123.4, "123"],
  [41.26, "41.3"],
  [0.6249, "0.62"],
])("%p reads %p", (value, text) => {
  expect(figure(value)).toBe(text);
});

test("the report names machine, versions, commit, every round, and how to measure again", () => {
  const figures = { ours: [1, 2, 3], yardstick: [4, 5, 6], beside: [{ name: "p50", figure: "1 ms" }] };
  const text = renderReport({ machine: MACHINE, entries: [entryOf(CASE, figures, WHEN)] });
  for (const part of [
    "2 cores of Some CPU, 23 GiB, Linux 6",
    "Bun 1.4.5",
    "1.00, 2.00, 3.00 against 4.00, 5.00, 6.00 req/s",
    "- p50: 1 ms",
    "measured 2026-01-02 at commit abc1234; again: `bun run bench --only go`",
    "(images/bench-go.svg)",
  ]) {
    expect(text).toContain(part);
  }
});

test("a case that was measured on another machine says so", () => {
  const entry = entryOf(CASE, { ours: [1], yardstick: [2] }, { ...WHEN, cpu: "Another CPU" });
  expect(renderReport({ machine: MACHINE, entries: [entry] })).toContain(
    "at commit abc1234, on another machine (Another CPU); again:",
  );
});

test("a report reads back from its JSON as it was", () => {
  const report = { machine: MACHINE, entries: [entryOf(CASE, { ours: [1], yardstick: [2] }, WHEN)] };
  expect(reportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
});

test("cases measured anew take their old place; cases that are no more are left out", () => {
  const entry = (name: string, ours: number) =>
    entryOf({ ...CASE, name }, { ours: [ours], yardstick: [1] }, WHEN);
  const merged = withEntries(
    [entry("a", 1), entry("gone", 1), entry("b", 1)],
    [entry("b", 2), entry("c", 2)],
    ["c", "b", "a"],
  );
  expect(merged.map(({ name, ours }) => [name, ours[0]])).toEqual([
    ["c", 2],
    ["b", 2],
    ["a", 1],
  ]);
});

test("a chart is well-formed and shows both figures and the bar", async () => {
  const svg = renderChart(entryOf({ ...CASE, unit: 'a<b&"c"' }, { ours: [30], yardstick: [90] }, WHEN));
  const texts: string[] = [];
  await new HTMLRewriter()
    .on("svg text", { text: ({ text }) => void texts.push(text) })
    .transform(new Response(svg))
    .text();
  expect(texts.join("|")).toContain("30.0 a&lt;b&amp;&quot;c&quot;");
  expect(texts.join("|")).toContain("bar: at least 27.0");
  expect(svg).not.toContain("a<b");
  for (const [, width] of svg.matchAll(/<rect [^>]*width="(\d+)"/g)) expect(Number(width)).toBeGreaterThan(0);
});

test("every row of the issue's table is a case, each under a name of its own", () => {
  const names = CASES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(CASES.map(({ bar }) => bar.ratio)).toEqual([0.3, 0.36, 0.18, 6, 0.3, 0.6, 1.5, 4, 3, 0.9, 1.3, 6]);
});
