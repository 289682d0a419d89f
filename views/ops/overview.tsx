import { Chart } from "./chart.tsx";
import { type FunnelLine, FunnelSteps, FunnelTable, type Steps } from "./funnel.tsx";
import { countText } from "./numbers.ts";
import { Banner, Card, PageHead, StatTile } from "./parts.tsx";
import { type SpanChoice, SpanChooser } from "./span.tsx";
import { type Column, DataTable } from "./table.tsx";
import { durationText, hourText } from "./time.tsx";
import { DeadEvents, HeldRoutes, type PausedRoute, PausedRoutes, type RouteName } from "./trouble.tsx";

export interface Point {
  readonly at: Date;
  readonly meta: number;
  readonly telegram: number;
  readonly failures: number;
}

/** All that the page shows of the installation. */
export interface Overview {
  readonly zone: string;
  readonly csrfToken: string;
  readonly span: SpanChoice;
  readonly trouble: {
    readonly waiting: number;
    readonly sending: number;
    readonly dead: number;
    readonly expired: number;
    readonly isMoreWaiting: boolean;
    readonly isMoreDead: boolean;
    readonly oldest: { readonly seconds: number; readonly route: RouteName } | null;
    readonly paused: readonly PausedRoute[];
    readonly held: readonly { readonly route: RouteName; readonly state: "throttled" | "resting" }[];
    readonly deadByPool: readonly {
      readonly pool: string;
      readonly eventName: string;
      readonly events: number;
      readonly lastError: string;
    }[];
    readonly dispatchersAlive: number;
  };
  /** `chart` has means of so many minutes or hours, `table` sums, in few enough lines to read. */
  readonly deliveries: {
    readonly toMeta: number;
    readonly toTelegram: number;
    readonly meansOf: number;
    readonly chart: readonly Point[];
    readonly table: readonly (Point & { readonly label: string })[];
    readonly routes: readonly (RouteName & {
      readonly requests: number;
      readonly failures: number;
      readonly delivered: number;
      readonly meanMs: number;
    })[];
  };
  readonly funnel: {
    readonly from: Date;
    readonly total: FunnelLine;
    readonly byPool: readonly FunnelLine[];
    readonly byBot: readonly FunnelLine[];
    readonly byCampaign: readonly FunnelLine[];
    readonly chart: readonly (Steps & { readonly at: Date })[];
    readonly table: readonly (Steps & { readonly label: string })[];
  };
  /** When the funnel and the deliveries were last counted; null: never yet. */
  readonly countedAgoMs: number | null;
}

const OLD_MS = 15 * 60_000;
const VERY_OLD_MS = 3_600_000;
/** Counted numbers that are older than this are not what is going on. */
const STALE_MS = 120_000;

/** The page; its live part asks for itself anew. */
export function OverviewPage(props: { readonly overview: Overview }): JSX.Element {
  const { overview } = props;
  const { span } = overview;
  return (
    <>
      <PageHead title="Overview" lead="One look: is money being lost?">
        <SpanChooser span={span} />
      </PageHead>
      {span.fault === null ? null : (
        <Banner tone="warn" announced>
          <span safe>{`${span.fault} Shown are the last 24 hours.`}</span>
        </Banner>
      )}
      <div
        id="live"
        class="stack"
        data-live
        hx-get={`/ops/live${span.query}`}
        hx-trigger={span.isLive ? "every 10s, seen" : "never"}
        hx-swap="innerHTML"
      >
        <LiveOverview overview={overview} />
      </div>
    </>
  );
}

/** What changes while one looks. */
export function LiveOverview(props: { readonly overview: Overview }): JSX.Element {
  const { overview } = props;
  const { trouble, zone, csrfToken } = overview;
  return (
    <>
      {trouble.dispatchersAlive > 0 ? null : (
        <Banner tone="bad" title="Nothing is being sent: no dispatcher is running">
          Start one: a process with <code>ROLE=all</code> or <code>ROLE=dispatcher</code>. What waits is kept.
        </Banner>
      )}
      <PausedRoutes paused={trouble.paused} zone={zone} csrfToken={csrfToken} />
      <HeldRoutes held={trouble.held} />
      <Numbers overview={overview} />
      <Deliveries overview={overview} />
      <DeadEvents dead={trouble.deadByPool} />
      <Funnel overview={overview} />
    </>
  );
}

function Numbers({
  overview: { trouble, deliveries, funnel },
}: {
  readonly overview: Overview;
}): JSX.Element {
  const { oldest } = trouble;
  const oldMs = (oldest?.seconds ?? 0) * 1_000;
  const [firstValue = "–", ...otherValues] = funnel.total.values;
  return (
    <div class="stats">
      <StatTile
        label="Sent"
        value={countText(deliveries.toMeta + deliveries.toTelegram)}
        hint={`${countText(deliveries.toMeta)} to Meta, ${countText(deliveries.toTelegram)} to Telegram`}
      />
      <StatTile
        label="Waiting"
        value={countText(trouble.waiting) + (trouble.isMoreWaiting ? "+" : "")}
        hint={trouble.sending > 0 ? `${countText(trouble.sending)} being sent` : "none being sent"}
        href="/ops/outbox?status=pending"
      />
      <StatTile
        label="Oldest waiting"
        value={oldest === null ? "–" : durationText(oldMs)}
        hint={oldest === null ? "nothing waits" : oldest.route.of}
        tone={oldMs > VERY_OLD_MS ? "bad" : oldMs > OLD_MS ? "warn" : "idle"}
      />
      <StatTile
        label="Dead"
        value={countText(trouble.dead) + (trouble.isMoreDead ? "+" : "")}
        hint={`${countText(trouble.expired)} expired`}
        tone={trouble.dead > 0 ? "bad" : "idle"}
        href="/ops/outbox?status=dead"
      />
      <StatTile
        label="Paused routes"
        value={countText(trouble.paused.length)}
        hint={trouble.paused.length > 0 ? "somebody must act" : "all may send"}
        tone={trouble.paused.length > 0 ? "bad" : "idle"}
      />
      <StatTile
        label="Sales"
        value={firstValue}
        hint={[...otherValues, `${countText(funnel.total.paid)} paid`].join(" · ")}
      />
    </div>
  );
}

function Deliveries({ overview }: { readonly overview: Overview }): JSX.Element {
  const { deliveries, span, zone } = overview;
  const { chart, table, routes } = deliveries;
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

function Funnel({ overview }: { readonly overview: Overview }): JSX.Element {
  const { funnel, zone } = overview;
  const { chart, table } = funnel;
  const at = chart.map((point) => point.at.getTime());
  const number = (head: string, key: keyof Steps): Column<Steps & { readonly label: string }> => ({
    head,
    align: "end",
    cell: (line) => <span safe>{countText(line[key])}</span>,
  });
  return (
    <>
      <Card
        title="Funnel"
        lead={`Whole hours since ${hourText(funnel.from, zone)}; each step counts in the hour in which it happened.`}
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
            columns={[
              { head: "From", cell: ({ label }) => <span safe>{label}</span> },
              number("Clicks", "clicks"),
              number("Starts", "starts"),
              number("Checkouts", "checkouts"),
              number("Paid", "paid"),
              number("Delivered", "delivered"),
              number("Refunded", "refunded"),
            ]}
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

function staleness(agoMs: number | null): string {
  if (agoMs === null) return "Not counted yet: the first count is under way.";
  const ago = agoMs < 1_000 ? "just now" : `${durationText(agoMs)} ago`;
  return agoMs > STALE_MS
    ? `Counted ${ago}: no dispatcher keeps these numbers up to date.`
    : `Counted ${ago}.`;
}
