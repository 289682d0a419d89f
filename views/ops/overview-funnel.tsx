/** @jsxImportSource @kitajs/html */
import { Chart } from "./chart.tsx";
import { FunnelSteps, FunnelTable, STEP_COLUMNS } from "./funnel.tsx";
import type { Overview } from "./overview-data.ts";
import { Card } from "./parts.tsx";
import { type Column, DataTable, textColumn } from "./table.tsx";
import { hourText } from "./time.tsx";

/** From the click to the delivery, over time and by whom. */
export function Funnel({ overview }: { readonly overview: Overview }): JSX.Element {
  const { funnel, zone } = overview;
  const { chart, table } = funnel;
  const at = chart.map((point) => point.at.getTime());
  return (
    <>
      <Card
        title="Funnel"
        lead={`In whole hours, so since ${hourText(funnel.from, zone)}, which may be before the span begins; each step counts in the hour in which it happened.`}
      >
        <FunnelSteps line={funnel.total} />
        <div class="columns">
          <div>
            <h3>Clicks and starts by hour</h3>
            <Chart
              label="Clicks and starts by hour; the table below has the numbers"
              at={at}
              zone={zone}
              series={[
                { label: "Clicks", tone: "accent", values: chart.map(({ clicks }) => clicks) },
                { label: "Starts", tone: "good", values: chart.map(({ starts }) => starts) },
              ]}
            />
          </div>
          <div>
            <h3>Checkouts and sales by hour</h3>
            <Chart
              label="Checkouts and sales by hour; the table below has the numbers"
              at={at}
              zone={zone}
              series={[
                { label: "Checkouts", tone: "soft", values: chart.map(({ checkouts }) => checkouts) },
                { label: "Paid", tone: "accent", values: chart.map(({ paid }) => paid) },
              ]}
            />
          </div>
        </div>
        <details class="more" id="funnel-table">
          <summary>The numbers as a table</summary>
          <DataTable
            caption="Funnel by time, the newest first"
            rows={table.toReversed()}
            empty="Nothing happened in this span."
            columns={BY_TIME}
          />
        </details>
      </Card>
      <Card title="What earns">
        <FunnelTable of="Pool" lines={funnel.byPool} />
        <FunnelTable of="Bot" lines={funnel.byBot} />
        <FunnelTable of="Campaign" lines={funnel.byCampaign} />
      </Card>
    </>
  );
}

const BY_TIME: readonly Column<Overview["funnel"]["table"][number]>[] = [
  textColumn("From", ({ label }) => label),
  ...STEP_COLUMNS,
];
