/** @jsxImportSource @kitajs/html */
/** One line (or row of bars) of a chart. `tone` is a colour of the style sheet. */
interface ChartSeries {
  readonly label: string;
  readonly tone: "accent" | "soft" | "good" | "warn" | "bad";
  readonly values: readonly number[];
}

/**
 * A chart over time, drawn by `views/assets/charts.ts` from what stands in `data-chart`. Put a table with the same
 * numbers under it: that is what screen readers and browsers without scripts have.
 */
export function Chart(props: {
  readonly label: string;
  /** Unix milliseconds. */
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly zone: string;
  readonly kind?: "area" | "bars";
}): JSX.Element {
  const { at, series, zone, kind = "area", label } = props;
  const data = { at: at.map((ms) => ms / 1_000), series, zone, kind };
  return <div class="chart" role="img" aria-label={label} data-chart={JSON.stringify(data)} />;
}
