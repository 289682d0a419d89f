/** @jsxImportSource @kitajs/html */
import { Chart } from "./chart.tsx";
import { countText } from "./numbers.ts";
import type { Overview, RouteTime } from "./overview-data.ts";
import { Card } from "./parts.tsx";
import { type Column, countColumn, DataTable, figureColumn, textColumn } from "./table.tsx";
import { durationText } from "./time.tsx";

/** Counted numbers that are older than this are not what is going on. */
const STALE_MS = 120_000;

/** What was sent, over time and by route. */
export function Deliveries({ overview }: { readonly overview: Overview }): JSX.Element {
  const { deliveries, span, zone } = overview;
  const { chart, table, routes, byRoute } = deliveries;
  const title = `Deliveries per ${span.unit}`;
  const means = deliveries.meansOf > 1 ? `Means of ${deliveries.meansOf} ${span.unit}s. ` : "";
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
          columns={BY_TIME}
        />
      </details>
      <details class="more" id="deliveries-by-route">
        <summary>By pool or bot, and time</summary>
        <DataTable
          caption="What each of the busiest routes sent, the newest first"
          rows={byRoute.toReversed()}
          empty="Nothing was sent in this span."
          columns={BY_ROUTE_AND_TIME}
        />
      </details>
      <DataTable caption="By route" rows={routes} empty="Nothing was sent in this span." columns={BY_ROUTE} />
    </Card>
  );
}

const BY_TIME: readonly Column<Overview["deliveries"]["table"][number]>[] = [
  textColumn("From", ({ label }) => label),
  countColumn("Meta", ({ meta }) => meta),
  countColumn("Telegram", ({ telegram }) => telegram),
  countColumn("Failed requests", ({ failures }) => failures),
];

const BY_ROUTE_AND_TIME: readonly Column<RouteTime>[] = [
  textColumn("From", ({ label }) => label),
  textColumn("Of", ({ of, destination }) => `${of} (${destination})`),
  countColumn("Delivered", ({ delivered }) => delivered),
  countColumn("Failed requests", ({ failures }) => failures),
];

const BY_ROUTE: readonly Column<Overview["deliveries"]["routes"][number]>[] = [
  textColumn("Of", ({ of }) => of),
  {
    head: "Route",
    cell: ({ destination, route }) => <span class="mono" safe>{`${destination} ${route}`}</span>,
  },
  countColumn("Delivered", ({ delivered }) => delivered),
  countColumn("Requests", ({ requests }) => requests),
  countColumn("Failed", ({ failures }) => failures),
  figureColumn("Mean answer", ({ meanMs }) => `${countText(meanMs)} ms`),
];

function staleness(agoMs: number | null): string {
  if (agoMs === null) return "Not counted yet: the first count is under way.";
  const ago = agoMs < 1_000 ? "just now" : `${durationText(agoMs)} ago`;
  return agoMs > STALE_MS
    ? `Counted ${ago}: counting has fallen behind, or no dispatcher runs.`
    : `Counted ${ago}.`;
}
