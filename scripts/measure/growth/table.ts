import { grouped } from "../../bench/report.ts";
import { median } from "../../bench/statistics.ts";

/** Every round's figures at one size. */
export interface Costs {
  readonly rows: number;
  /** Milliseconds for a thousand events, claimed and settled. */
  readonly drainMs: readonly number[];
  /** Microseconds a visit. */
  readonly visitUs: readonly number[];
  /** Milliseconds. */
  readonly waitingMs: readonly number[];
}

type Measured = "drainMs" | "visitUs" | "waitingMs";

/** A Markdown table: medians, the fastest round, and the medians as a multiple of those at the first size. */
export function renderTable(database: string, all: readonly Costs[]): string {
  const [first] = all;
  if (!first) return "";
  const cells = (costs: Costs, name: Measured, digits: number) => {
    const middle = median(costs[name]);
    const ratio = middle / median(first[name]);
    return [
      middle.toFixed(digits),
      Math.min(...costs[name]).toFixed(digits),
      costs === first ? "1" : ratio.toFixed(2),
    ];
  };
  const lines = all.map((costs) =>
    [
      database,
      grouped(costs.rows),
      ...cells(costs, "drainMs", 1),
      ...cells(costs, "visitUs", 0),
      ...cells(costs, "waitingMs", 2),
    ].join(" | "),
  );
  return [
    "| database | delivered rows | claim and settle 1000, ms | fastest | ratio | a visit of 64, µs | fastest | ratio | waiting routes, ms | fastest | ratio |",
    "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
}
