/** @jsxImportSource @kitajs/html */

/** One line of a chart. `tone` is a colour of the style sheet. */
interface ChartSeries {
  readonly label: string;
  readonly tone: "accent" | "soft" | "good" | "bad";
  readonly values: readonly number[];
}

export interface ChartProps {
  readonly label: string;
  /** Unix milliseconds. */
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly zone: string;
}

/**
 * A chart over time, drawn by `views/assets/charts.ts` from what stands in `data-chart`. Put a table with the same
 * numbers under it: that is what screen readers and browsers without scripts have.
 */
export function Chart({ at, series, zone, label }: ChartProps): JSX.Element {
  const data = { at: at.map((ms) => ms / 1_000), series, zone };
  return <div class="chart" role="img" aria-label={label} data-chart={JSON.stringify(data)} />;
}
