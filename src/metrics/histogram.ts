/** One series of a histogram. */
interface Series {
  observe(value: number): void;
}

/** What happened how often at which size, in Prometheus' text format. */
export interface Histogram {
  /** The series of these labels, made at its first use. On a hot path keep it: looking it up costs more than observing. */
  series(labels?: Readonly<Record<string, string>>): Series;
  text(): string;
}

interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets, ascending, in the unit of what is observed. */
  readonly bounds: readonly number[];
  /** How many of that unit are one of the text's: 1000 where milliseconds are observed and the name says seconds. */
  readonly scale?: number;
}

interface Counts extends Series {
  readonly labels: string;
  readonly counts: Float64Array;
  sum: number;
}

/**
 * Unlike prom-client's histogram, a series that is at hand takes an observation without allocating anything, so that
 * every visit can be timed; and it loads nothing, so that a start can count its first visitors.
 */
export function createHistogram({ name, help, bounds: given, scale = 1 }: HistogramOptions): Histogram {
  const all = new Map<string, Counts>();
  const bounds = Float64Array.from(given);

  function newSeries(labels: string): Counts {
    const counts = new Float64Array(bounds.length + 1);
    const series: Counts = {
      labels,
      counts,
      sum: 0,
      observe(value) {
        let bucket = 0;
        while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
        series.sum += value;
      },
    };
    return series;
  }

  return {
    series(labels = {}) {
      const key = labelText(labels);
      const series = all.get(key) ?? newSeries(key);
      all.set(key, series);
      return series;
    },
    text: () =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} histogram`,
        ...[...all.values()].flatMap((series) => linesOf(name, series, bounds, scale)),
        "",
      ].join("\n"),
  };
}

function linesOf(
  name: string,
  { labels, counts, sum }: Counts,
  bounds: Float64Array,
  scale: number,
): string[] {
  const total = counts.reduce((before, count) => before + count, 0);
  const braced = labels && `{${labels}}`;
  let below = 0;
  const buckets = [...bounds].map((bound, i) => {
    below += counts[i] ?? 0;
    return `${name}_bucket{${labels}${labels && ","}le="${bound / scale}"} ${below}`;
  });
  return [
    ...buckets,
    `${name}_bucket{${labels}${labels && ","}le="+Inf"} ${total}`,
    `${name}_sum${braced} ${sum / scale}`,
    `${name}_count${braced} ${total}`,
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
