import { z } from "zod";
import type { BenchCase, Figures } from "./case.ts";
import { judge, median, spread } from "./statistics.ts";

const entrySchema = z.object({
  name: z.string(),
  title: z.string(),
  yardstickName: z.string(),
  unit: z.string(),
  bar: z.object({ kind: z.enum(["at-least", "at-most"]), ratio: z.number() }),
  limit: z.number().nullable(),
  /** One figure a round. */
  ours: z.array(z.number()),
  yardstick: z.array(z.number()),
  ratio: z.number(),
  reached: z.boolean(),
  beside: z.array(z.object({ name: z.string(), figure: z.string() })),
  /** When it was measured, of which commit, and on which processor. */
  at: z.string(),
  commit: z.string(),
  cpu: z.string(),
});

/** A measured case. */
export type Entry = z.output<typeof entrySchema>;

const machineSchema = z.object({
  cpu: z.string(),
  cores: z.number(),
  memoryGiB: z.number(),
  system: z.string(),
  versions: z.record(z.string(), z.string()),
});

/** Where it was measured, and with what. */
export type Machine = z.output<typeof machineSchema>;

export const reportSchema = z.object({ machine: machineSchema, entries: z.array(entrySchema) });

export type Report = z.output<typeof reportSchema>;

/** The entry that a case's figures make. */
export function entryOf(
  { name, title, yardstick, unit, bar, limit }: BenchCase,
  figures: Figures,
  { at, commit, cpu }: { at: Date; commit: string; cpu: string },
): Entry {
  const { ratio, reached } = judge(figures.ours, figures.yardstick, bar);
  return {
    name,
    title,
    yardstickName: yardstick,
    unit,
    bar,
    limit: limit?.atMost ?? null,
    ours: [...figures.ours],
    yardstick: [...figures.yardstick],
    ratio,
    reached: reached && (limit === undefined || median(figures.ours) <= limit.atMost),
    beside: [...(figures.beside ?? [])],
    at: at.toISOString(),
    commit,
    cpu,
  };
}

/** Puts new entries in the place of those of the same name; the order is that of `names`. */
export function withEntries(
  old: readonly Entry[],
  fresh: readonly Entry[],
  names: readonly string[],
): Entry[] {
  const byName = new Map([...old, ...fresh].map((entry) => [entry.name, entry]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** The report as it stands in `docs/benchmarks.md`. */
export function renderReport({ machine, entries }: Report): string {
  const lines = [
    "# Benchmarks",
    "",
    "Measured by `bun run bench` (`scripts/bench/`). What counts are the ratios: server and yardstick take turns on",
    "one machine, over loopback, and the load generator runs on it too. Each figure is the median of its rounds; the",
    "spread is how far the rounds lie apart, as a share of it.",
    "",
    ...machineLines(machine),
    "",
    renderTable(entries),
    "",
    ...entries.flatMap((entry) => entryLines(entry, machine)),
    ...METHOD,
  ];
  return `${lines.join("\n")}\n`;
}

/** The table of what was reached, one row a case. */
export function renderTable(entries: readonly Entry[]): string {
  const rows = entries.map((entry) =>
    row([
      entry.title,
      `${figure(median(entry.ours))} ${entry.unit} (±${percent(spread(entry.ours) / 2)})`,
      `${figure(median(entry.yardstick))} ${entry.unit} (±${percent(spread(entry.yardstick) / 2)})`,
      ratioText(entry.ratio),
      barText(entry),
      entry.reached ? "pass" : "**miss**",
    ]),
  );
  return [row(["what", "Ponte", "yardstick", "ratio", "bar", ""]), row(Array(6).fill("---")), ...rows].join(
    "\n",
  );
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function barText({ bar, limit, unit }: Entry): string {
  const ratio = `${bar.kind === "at-least" ? "≥" : "≤"} ${bar.ratio}`;
  return limit === null ? ratio : `${ratio}, ≤ ${limit} ${unit}`;
}

function ratioText(ratio: number): string {
  return ratio.toFixed(2);
}

/** A figure with what its size lets one believe: 23 412, 41.3, 0.62. */
export function figure(value: number): string {
  if (value >= 1_000) return grouped(Math.round(value));
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}

/** A whole number with its thousands apart: 1 000 000. */
export function grouped(whole: number): string {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, " ");
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function machineLines({ cpu, cores, memoryGiB, system, versions }: Machine): string[] {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- machine: ${cores} cores of ${cpu}, ${memoryGiB.toFixed(0)} GiB, ${system}`,
    `- versions: ${names.join(", ")}`,
  ];
}

function entryLines(entry: Entry, { cpu }: Machine): string[] {
  const elsewhere = entry.cpu === cpu ? "" : `, on another machine (${entry.cpu})`;
  const beside = entry.beside.map(({ name, figure }) => `- ${name}: ${figure}`);
  return [
    `## ${entry.title}`,
    "",
    `![${entry.title.replaceAll("`", "")}](images/bench-${entry.name}.svg)`,
    "",
    `- held against: ${entry.yardstickName}`,
    `- rounds: ${entry.ours.map(figure).join(", ")} against ${entry.yardstick.map(figure).join(", ")} ${entry.unit}`,
    ...beside,
    `- measured ${entry.at.slice(0, 10)} at commit ${entry.commit}${elsewhere}; again: \`bun run bench --only ${entry.name}\``,
    "",
  ];
}

const METHOD = [
  "## How it is measured",
  "",
  "- Ponte is the real process, started as in the Dockerfile (`dist/ponte`), with its defaults:",
  "  SQLite in WAL mode with `synchronous=FULL`, or a temporary PostgreSQL with its own defaults (`fsync` and",
  "  `synchronous_commit` on). `LOG_LEVEL=warn`, and no limit a client, since all load comes from one address.",
  "- It runs with `ROLE=web` where answers are measured, so that no dispatcher competes for the cores; an answer waits for",
  "  its commit in any case. Drains, latency and memory run with the dispatcher and the sandbox in place of Meta.",
  "- While an outbox is drained, the visits that were written to fill it are not counted for the console.",
  "- Every click has a click id of its own, campaign parameters, an address and a browser of its own; every fourth brings",
  "  cookies. After each round the rows in the database are counted against the answers: a round in which an answer was",
  "  no page, or a visit or its event is missing, is an error, not a figure.",
  "- The bare `Bun.serve` gives the same status, headers and body, from memory, to the same load.",
  "- Constant rate: requests leave by the clock whether or not earlier ones were answered, and their time counts from when",
  "  they were due.",
];
