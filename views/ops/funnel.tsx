/** @jsxImportSource @kitajs/html */
import { countText, rateText } from "./numbers.ts";
import { Name } from "./parts.tsx";
import { type Column, countColumn, DataTable, figureColumn } from "./table.tsx";

/** How often each step happened. */
export interface Steps {
  readonly clicks: number;
  readonly starts: number;
  readonly checkouts: number;
  readonly paid: number;
  readonly delivered: number;
  readonly refunded: number;
}

/** The steps of one pool, bot or campaign; `values` are sums of sales, one text a currency. */
export interface FunnelLine extends Steps {
  readonly name: string;
  readonly href: string | null;
  readonly values: readonly string[];
}

const STEPS = [
  ["clicks", "Clicks"],
  ["starts", "Starts"],
  ["checkouts", "Checkouts"],
  ["paid", "Paid"],
  ["delivered", "Delivered"],
] as const satisfies readonly (readonly [keyof Steps, string])[];

/** From the click to the delivery: how many, how many of those before, how many of those who clicked. */
export function FunnelSteps({ line }: { readonly line: FunnelLine }): JSX.Element {
  const most = Math.max(1, ...STEPS.map(([step]) => line[step]));
  return (
    <ol class="funnel">
      {STEPS.map(([step, label], i) => {
        const before = STEPS[i - 1];
        const share: string = before
          ? `${rateText(line[step], line[before[0]])} of ${before[1].toLowerCase()}`
          : "the visits that were let in";
        const ofClicks: string = i > 1 ? `${rateText(line[step], line.clicks)} of clicks` : "";
        return (
          <li>
            <span class="funnel-label">{label}</span>
            <span class="funnel-count" safe>
              {countText(line[step])}
            </span>
            <svg class="funnel-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect width="100" height="6" rx="1" class="rail" />
              <rect width={String((100 * line[step]) / most)} height="6" rx="1" class="fill" />
            </svg>
            <span class="funnel-rate" safe>
              {share}
            </span>
            <span class="funnel-rate" safe>
              {ofClicks}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** The steps, how many clicks came to them, and what they sold. */
export const STEP_COLUMNS: readonly Column<Steps & { readonly values: readonly string[] }>[] = [
  countColumn("Clicks", (line) => line.clicks),
  countColumn("Starts", (line) => line.starts),
  figureColumn("of clicks", (line) => rateText(line.starts, line.clicks)),
  countColumn("Checkouts", (line) => line.checkouts),
  countColumn("Paid", (line) => line.paid),
  figureColumn("of clicks", (line) => rateText(line.paid, line.clicks)),
  countColumn("Delivered", (line) => line.delivered),
  countColumn("Refunded", (line) => line.refunded),
  figureColumn("Sales", (line) => (line.values.length > 0 ? line.values.join(" + ") : "–")),
];

/** The funnel of every pool, bot or campaign, the best first. */
export function FunnelTable(props: {
  /** What a line is, e.g. `Pool`. */
  readonly of: string;
  readonly lines: readonly FunnelLine[];
}): JSX.Element {
  return (
    <DataTable
      caption={`By ${props.of.toLowerCase()}`}
      layout="even"
      rows={props.lines}
      empty="Nothing happened in this span."
      columns={[
        { head: props.of, cell: (line) => <Name text={line.name} href={line.href} /> },
        ...STEP_COLUMNS,
      ]}
    />
  );
}
