/** The middle of the values; of an even number, the mean of the middle two. @throws RangeError where there are none */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("no values, no median");
  return (lower + upper) / 2;
}

/** The smallest value that at least `percent` of all values do not exceed (nearest rank). @throws RangeError where there are none */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError("no values, no percentile");
  return value;
}

/** How far the values lie apart, as a share of their median: 0.1 is "within a tenth". */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values);
}

/** What a ratio must reach: at least so much of the yardstick, or at most so many times as long. */
export interface Bar {
  readonly kind: "at-least" | "at-most";
  readonly ratio: number;
}

/** The ratio of the medians, and whether it reaches the bar. */
export function judge(
  ours: readonly number[],
  yardstick: readonly number[],
  bar: Bar,
): { readonly ratio: number; readonly reached: boolean } {
  const ratio = median(ours) / median(yardstick);
  return { ratio, reached: bar.kind === "at-least" ? ratio >= bar.ratio : ratio <= bar.ratio };
}
