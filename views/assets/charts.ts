import uPlot from "uplot";

/** What a chart shows; it stands in `data-chart` of an element, as JSON (see `views/ops/chart.tsx`). */
interface ChartData {
  /** Unix seconds. */
  readonly at: readonly number[];
  readonly series: readonly {
    readonly label: string;
    readonly tone: string;
    readonly values: readonly number[];
  }[];
  readonly zone: string;
  readonly kind: "area" | "bars";
}

const HEIGHT = 200;
const drawn = new WeakMap<Element, uPlot>();

function draw(place: HTMLElement): void {
  const chart: ChartData = JSON.parse(place.dataset.chart ?? "null");
  const data: uPlot.AlignedData = [[...chart.at], ...chart.series.map(({ values }) => [...values])];
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("soft"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  drawn.get(place)?.destroy();
  place.replaceChildren();
  const plot = new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), chart.zone),
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.08)] } },
      axes: [
        { ...axis, space: 70 },
        {
          ...axis,
          size: 52,
          values: (_plot, ticks) => ticks.map((n) => (Number.isInteger(n) ? n.toLocaleString("en") : "")),
        },
      ],
      series: [
        { value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        ...chart.series.map(({ label, tone }) => ({
          label,
          stroke: colour(tone),
          fill: `color-mix(in srgb, ${colour(tone)} ${chart.kind === "bars" ? "70%" : "14%"}, transparent)`,
          width: chart.kind === "bars" ? 0 : 1.5,
          points: { show: false },
          ...(chart.kind === "bars" && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.8, 40] }) }),
        })),
      ],
    },
    data,
    place,
  );
  drawn.set(place, plot);
}

function drawAll(root: ParentNode): void {
  for (const place of root.querySelectorAll<HTMLElement>("[data-chart]")) draw(place);
}

drawAll(document);
document.addEventListener("htmx:afterSettle", () => drawAll(document));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
let resizing: ReturnType<typeof setTimeout> | undefined;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawAll(document), 120);
});
