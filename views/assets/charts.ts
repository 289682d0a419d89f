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
}

const HEIGHT = 200;
const DAY_SECONDS = 86_400;
/** By its label: a chart that is drawn anew goes on showing the point that is pointed at. */
const drawn = new Map<string, uPlot>();

/** Hours as on a clock; where a new day begins, its date. All in the operator's zone. */
function timeLabels(
  zone: string,
): (plot: uPlot, ticks: number[], axis: number, space: number, step: number) => string[] {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const date = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  return (_plot, ticks, _axis, _space, step) => {
    let day = "";
    return ticks.map((seconds) => {
      const [time, today] = [clock.format(seconds * 1_000), date.format(seconds * 1_000)];
      const isNew = today !== day;
      day = today;
      if (step >= DAY_SECONDS) return today;
      return isNew ? `${time}\n${today}` : time;
    });
  };
}

/** Draws the element's chart anew; one that was pointed at goes on being. */
function draw(place: HTMLElement): void {
  const chart: ChartData = JSON.parse(place.dataset.chart ?? "null");
  const data: uPlot.AlignedData = [[...chart.at], ...chart.series.map(({ values }) => [...values])];
  const name = place.getAttribute("aria-label") ?? "";
  const before = drawn.get(name);
  const pointer = before && { left: before.cursor.left ?? -1, top: before.cursor.top ?? -1 };
  before?.destroy();
  place.replaceChildren();
  const plot = new uPlot(optionsOf(chart, place), data, place);
  if (pointer && pointer.left >= 0) plot.setCursor(pointer);
  drawn.set(name, plot);
}

/** How it looks, in the colours and the width of its place. */
function optionsOf({ zone, series }: ChartData, place: HTMLElement): uPlot.Options {
  const pointed = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    dateStyle: "medium",
    timeStyle: "short",
  });
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: colour("soft"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), zone),
    // No zooming by drag: the next renewal would undo it, and a span can be chosen above.
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    legend: { live: true },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.08)] } },
    axes: [
      { ...axis, space: 70, values: timeLabels(zone) },
      {
        ...axis,
        size: 52,
        values: (_plot, ticks) => ticks.map((n) => (Number.isInteger(n) ? n.toLocaleString("en") : "")),
      },
    ],
    series: [
      { value: (_plot, seconds) => (seconds === null ? "" : pointed.format(seconds * 1_000)) },
      ...series.map(({ label, tone }) => ({
        label,
        value: (_plot: uPlot, n: number | null) => (n === null ? "" : n.toLocaleString("en")),
        stroke: colour(tone),
        fill: `color-mix(in srgb, ${colour(tone)} 14%, transparent)`,
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

function drawAll(root: ParentNode): void {
  for (const place of root.querySelectorAll<HTMLElement>("[data-chart]")) draw(place);
}

drawAll(document);
// Before the browser paints: nothing flickers.
document.addEventListener("htmx:afterSwap", () => drawAll(document));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
let resizing: ReturnType<typeof setTimeout> | undefined;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawAll(document), 120);
});
