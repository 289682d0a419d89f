/** @jsxImportSource @kitajs/html */
import { Chart } from "./chart.tsx";
import { countText } from "./numbers.ts";
import type { Overview, Point } from "./overview-data.ts";
import { Card } from "./parts.tsx";
import { type Column, DataTable } from "./table.tsx";
import { durationText } from "./time.tsx";

/** Counted numbers that are older than this are not what is going on. */
const STALE_MS = 120_000;

/** What was sent, over time and by route. */
export function Deliveries({ overview }: { readonly overview: Overview }): JSX.Element {
  const { deliveries, span, zone } = overview;
  const { chart, table, routes, byRoute } = deliveries;
  const title = `Deliveries per ${span.unit}`;
  const means = deliveries.meansOf > 1 ? `Means of ${deliveries.meansOf} ${span.unit}s. ` : "";
  const number = (
    head: string,
    cell: (point: Point) => number,
  ): Column<Point & { readonly label: string }> => ({
    head,
    align: "end",
    cell: (point) => <span safe>{countText(cell(point))}</span>,
  });
  return (
    <Card title={title} lead={means + staleness(overview.countedAgoMs)}>
      <Chart
        label={`${title}; the table below has the numbers`}
        at={chart.map(({ at }) => at.getTime())}
        zone={zone}
        series={[
          { label: "Meta", tone: "accent", values: chart.map(({ meta }) => meta) },
          { label: "Telegram", tone: "good", values: chart.map(({ telegram }) => telegram) },
          { label: "Failed requests", tone: "bad", values: chart.map(({ failures }) => failures) },
        ]}
      />
      <details class="more" id="deliveries-table">
        <summary>The numbers as a table</summary>
        <DataTable
          caption="Deliveries, the newest first"
          rows={table.toReversed()}
          empty="Nothing was sent in this span."
          columns={[
            { head: "From", cell: ({ label }) => <span safe>{label}</span> },
            number("Meta", ({ meta }) => meta),
            number("Telegram", ({ telegram }) => telegram),
            number("Failed requests", ({ failures }) => failures),
          ]}
        />
      </details>
      <details class="more" id="deliveries-by-route">
        <summary>By pool or bot, and time</summary>
        <DataTable
          caption="What each of the busiest routes sent, the newest first"
          rows={byRoute.toReversed()}
          empty="Nothing was sent in this span."
          columns={[
            { head: "From", cell: ({ label }) => <span safe>{label}</span> },
            { head: "Of", cell: ({ of, destination }) => <span safe>{`${of} (${destination})`}</span> },
            {
              head: "Delivered",
              align: "end",
              cell: ({ delivered }) => <span safe>{countText(delivered)}</span>,
            },
            {
              head: "Failed requests",
              align: "end",
              cell: ({ failures }) => <span safe>{countText(failures)}</span>,
            },
          ]}
        />
      </details>
      <DataTable
        caption="By route"
        rows={routes}
        empty="Nothing was sent in this span."
        columns={[
          { head: "Of", cell: ({ of }) => <span safe>{of}</span> },
          {
            head: "Route",
            cell: ({ destination, route }) => <span class="mono" safe>{`${destination} ${route}`}</span>,
          },
          {
            head: "Delivered",
            align: "end",
            cell: ({ delivered }) => <span safe>{countText(delivered)}</span>,
          },
          { head: "Requests", align: "end", cell: ({ requests }) => <span safe>{countText(requests)}</span> },
          { head: "Failed", align: "end", cell: ({ failures }) => <span safe>{countText(failures)}</span> },
          {
            head: "Mean answer",
            align: "end",
            cell: ({ meanMs }) => <span safe>{`${countText(meanMs)} ms`}</span>,
          },
        ]}
      />
    </Card>
  );
}

function staleness(agoMs: number | null): string {
  if (agoMs === null) return "Not counted yet: the first count is under way.";
  const ago = agoMs < 1_000 ? "just now" : `${durationText(agoMs)} ago`;
  return agoMs > STALE_MS
    ? `Counted ${ago}: no dispatcher keeps these numbers up to date.`
    : `Counted ${ago}.`;
}
