import { type Entry, figure } from "./report.ts";
import { median } from "./statistics.ts";

const WIDTH = 640;
const LABEL_WIDTH = 110;
const BAR_WIDTH = 380;
const BAR_HEIGHT = 26;
const GAP = 14;

/** Two bars and the mark that is to be reached, as an SVG that reads on light and dark pages. */
export function renderChart(entry: Entry): string {
  const ours = median(entry.ours);
  const yardstick = median(entry.yardstick);
  const mark = yardstick * entry.bar.ratio;
  const longest = Math.max(ours, yardstick, mark);
  const width = (value: number) => Math.max(1, Math.round((value / longest) * BAR_WIDTH));
  const bars = [
    { label: "Ponte", value: ours, fill: entry.reached ? "#2a9d5c" : "#d1495b" },
    { label: "yardstick", value: yardstick, fill: "#8a94a6" },
  ];
  const height = GAP + bars.length * (BAR_HEIGHT + GAP) + 18;
  const drawn = bars.map(({ label, value, fill }, i) => {
    const top = GAP + i * (BAR_HEIGHT + GAP);
    const middle = top + BAR_HEIGHT / 2 + 5;
    return [
      `<text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end">${label}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${top}" width="${width(value)}" height="${BAR_HEIGHT}" rx="3" fill="${fill}"/>`,
      `<text x="${LABEL_WIDTH + width(value) + 8}" y="${middle}">${escapeXml(`${figure(value)} ${entry.unit}`)}</text>`,
    ].join("\n  ");
  });
  const x = LABEL_WIDTH + width(mark);
  const sign = entry.bar.kind === "at-least" ? "at least" : "at most";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(`Ponte ${figure(ours)}, yardstick ${figure(yardstick)} ${entry.unit}`)}">
  <style>text { font: 14px system-ui, sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } line { stroke: #c9d1d9 } }</style>
  ${drawn.join("\n  ")}
  <line x1="${x}" x2="${x}" y1="${GAP / 2}" y2="${height - 22}" stroke="#24292f" stroke-width="2" stroke-dasharray="5 4"/>
  <text x="${Math.min(x, WIDTH - 130)}" y="${height - 5}" text-anchor="middle" font-size="12">bar: ${sign} ${escapeXml(figure(mark))}</text>
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
