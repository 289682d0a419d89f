/** @jsxImportSource @kitajs/html */
import { Chart, type ChartProps } from "./chart.tsx";
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
          <HourChart
            title="Clicks and starts by hour"
            at={at}
            zone={zone}
            series={[
              { label: "Clicks", tone: "accent", values: chart.map(({ clicks }) => clicks) },
              { label: "Starts", tone: "good", values: chart.map(({ starts }) => starts) },
            ]}
          />
          <HourChart
            title="Checkouts and sales by hour"
            at={at}
            zone={zone}
            series={[
              { label: "Checkouts", tone: "soft", values: chart.map(({ checkouts }) => checkouts) },
              { label: "Paid", tone: "accent", values: chart.map(({ paid }) => paid) },
            ]}
          />
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

function HourChart(props: Omit<ChartProps, "label"> & { readonly title: string }): JSX.Element {
  const { title, ...chart } = props;
  return (
    <div>
      <h3 safe>{title}</h3>
      <Chart {...chart} label={`${title}; the table below has the numbers`} />
    </div>
  );
}

const BY_TIME: readonly Column<Overview["funnel"]["table"][number]>[] = [
  textColumn("From", ({ label }) => label),
  ...STEP_COLUMNS,
];
