/** One series of a histogram. */
export interface Timing {
  observe(ms: number): void;
}

/** A histogram of durations, in Prometheus' text format. */
export interface Timings {
  /** The series of these labels, made at its first use. Keep it where the path is hot: looking it up costs more than it. */
  series(labels: Readonly<Record<string, string>>): Timing;
  text(): string;
}

interface Series extends Timing {
  readonly labels: string;
  readonly counts: Float64Array;
  sumMs: number;
}

/**
 * Unlike prom-client's histogram, a series that is at hand takes an observation without allocating anything, so that
 * every visit can be timed.
 *
 * @param boundsMs upper bounds of the buckets, ascending, in milliseconds; the text says seconds
 */
export function createTimings(name: string, help: string, boundsMs: readonly number[]): Timings {
  const all = new Map<string, Series>();
  const bounds = Float64Array.from(boundsMs);

  function newSeries(labels: string): Series {
    const counts = new Float64Array(bounds.length + 1);
    const series: Series = {
      labels,
      counts,
      sumMs: 0,
      observe(ms) {
        let bucket = 0;
        while (bucket < bounds.length && ms > (bounds[bucket] ?? 0)) bucket++;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
        series.sumMs += ms;
      },
    };
    return series;
  }

  return {
    series(labels) {
      const key = labelText(labels);
      const series = all.get(key) ?? newSeries(key);
      all.set(key, series);
      return series;
    },
    text: () =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} histogram`,
        ...[...all.values()].flatMap((series) => seriesLines(name, series, bounds)),
        "",
      ].join("\n"),
  };
}

function seriesLines(name: string, { labels, counts, sumMs }: Series, bounds: Float64Array): string[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const buckets = [...bounds].map((bound, i) => {
    below += counts[i] ?? 0;
    return `${name}_bucket{${labels}${labels && ","}le="${bound / 1000}"} ${below}`;
  });
  return [
    ...buckets,
    `${name}_bucket{${labels}${labels && ","}le="+Inf"} ${total}`,
    `${name}_sum{${labels}} ${sumMs / 1000}`,
    `${name}_count{${labels}} ${total}`,
  ];
}

/** Labels as the text format wants them: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => {
      const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
      return `${name}="${escaped}"`;
    })
    .join(",");
}
