/** @jsxImportSource @kitajs/html */
import { countText } from "./numbers.ts";
import type { Overview } from "./overview-data.ts";
import { Deliveries } from "./overview-deliveries.tsx";
import { Funnel } from "./overview-funnel.tsx";
import { Banner, PageHead, StatTile, type Tone } from "./parts.tsx";
import { RefusedVisitors } from "./refusals.tsx";
import { SpanChooser } from "./span.tsx";
import { durationText, hourText } from "./time.tsx";
import { DeadEvents, HeldRoutes, NotReported, PausedRoutes, SickBots } from "./trouble.tsx";

const OLD_MS = 15 * 60_000;
const VERY_OLD_MS = 3_600_000;

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
      <SickBots bots={trouble.sickBots} />
      <HeldRoutes held={trouble.held} />
      <Numbers overview={overview} />
      <Deliveries overview={overview} />
      <NotReported sales={overview.unreported} zone={zone} />
      <DeadEvents dead={trouble.deadByPool} />
      <Funnel overview={overview} />
      <RefusedVisitors refused={overview.refused} />
    </>
  );
}

function Numbers({
  overview: { trouble, deliveries, funnel, zone },
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
        tone={ageTone(oldMs)}
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
        hint={[
          ...otherValues,
          `${countText(funnel.total.paid)} paid since ${hourText(funnel.from, zone)}`,
        ].join(" · ")}
      />
    </div>
  );
}

function ageTone(ms: number): Tone {
  if (ms > VERY_OLD_MS) return "bad";
  return ms > OLD_MS ? "warn" : "idle";
}
