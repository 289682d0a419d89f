/** @jsxImportSource @kitajs/html */
import type { HoldState } from "../../src/db/vocabulary.ts";
import { ConfirmForm } from "./form.tsx";
import { countText } from "./numbers.ts";
import { Badge, Banner, Card } from "./parts.tsx";
import { type Column, countColumn, DataTable, figureColumn, nameColumn, textColumn } from "./table.tsx";
import { TimeOf } from "./time.tsx";

/** A route, and what operators call it: its pools, or its bot. */
export interface RouteName {
  readonly destination: string;
  readonly route: string;
  readonly of: string;
}

/** A route that goes no more until somebody resumes it. */
export interface PausedRoute extends RouteName {
  /** The pixel or the bot. */
  readonly account: string;
  readonly pausedAt: Date;
  /** The other side's own words. */
  readonly reason: string;
  readonly waiting: number;
}

/** Routes that wait for somebody: nothing of theirs is sent, and after seven days Meta no longer takes it. */
export function PausedRoutes(props: {
  readonly paused: readonly PausedRoute[];
  readonly zone: string;
  readonly csrfToken: string;
}): JSX.Element {
  const { paused, zone, csrfToken } = props;
  if (paused.length === 0) return "";
  return (
    <Banner
      tone="bad"
      title={
        paused.length === 1
          ? "One route is paused: nothing of it is sent"
          : `${paused.length} routes are paused: nothing of them is sent`
      }
    >
      <ul class="paused">
        {paused.map(({ destination, route, account, of, reason, pausedAt, waiting }) => (
          <li>
            <p>
              <a href={tokenPage(destination, account)}>
                <b safe>{of}</b>
              </a>{" "}
              <span safe>{`(${destination} ${route}), since `}</span>
              <TimeOf at={pausedAt} zone={zone} />
              <span safe>{`: ${countText(waiting)} waiting. `}</span>
              <q safe>{reason}</q>
            </p>
            <ConfirmForm
              action="/ops/routes/resume"
              csrfToken={csrfToken}
              label="Resume…"
              question="A new token, on the page of its pool or bot, lets a route go again by itself. Resume it by hand where something else was to blame, as a missing permission, and is put right; if the cause is still there, it pauses again and nothing is lost."
              confirm="Resume"
              fields={{ destination, route }}
            />
          </li>
        ))}
      </ul>
    </Banner>
  );
}

/** Where a route's token is changed: its bot's page, or the list in which pools stand with their pixels. */
function tokenPage(destination: string, account: string): string {
  return destination === "telegram" ? `/ops/bots/${account}` : "/ops/pools";
}

export interface SickBot {
  readonly username: string;
  /** Telegram's words. */
  readonly reason: string;
}

/** Bots that Telegram does not let us use: no visitor is sent to them, and what waits for them stays. */
export function SickBots({ bots }: { readonly bots: readonly SickBot[] }): JSX.Element {
  if (bots.length === 0) return "";
  return (
    <Banner
      tone="bad"
      title={
        bots.length === 1
          ? "A bot is not healthy: no visitor is sent to it"
          : `${bots.length} bots are not healthy: no visitor is sent to them`
      }
    >
      <ul class="paused">
        {bots.map(({ username, reason }) => (
          <li>
            <b safe>{`@${username}`}</b> <q safe>{reason}</q>
          </li>
        ))}
      </ul>
    </Banner>
  );
}

export interface HeldRoute {
  readonly route: RouteName;
  readonly state: Exclude<HoldState, "paused">;
}

/** Routes that go slowly, by themselves and for a while. */
export function HeldRoutes(props: { readonly held: readonly HeldRoute[] }): JSX.Element {
  if (props.held.length === 0) return "";
  return (
    <Banner tone="warn" title="Slowed down for a while">
      <ul class="paused">
        {props.held.map(({ route, state }) => (
          <li>
            <span safe>{`${route.of} (${route.destination} ${route.route}) `}</span>
            <Badge
              tone="warn"
              text={state === "throttled" ? "asked to slow down" : "resting after failures"}
            />
          </li>
        ))}
      </ul>
    </Banner>
  );
}

interface UnreportedSale {
  readonly paymentId: string;
  readonly provider: string;
  readonly providerRef: string;
  readonly amount: string;
  readonly paidAt: Date;
}

export interface UnreportedSales {
  readonly count: number;
  readonly isMore: boolean;
  readonly newest: readonly UnreportedSale[];
}

/** Sales that Meta learns nothing of unless somebody says whose they are; after seven days it no longer takes them. */
export function NotReported(props: { readonly sales: UnreportedSales; readonly zone: string }): JSX.Element {
  const { count, isMore, newest } = props.sales;
  if (count === 0 && isMore) {
    return (
      <Card title="Older sales may not be reported to Meta">
        <p>
          So many of the last seven days are kept from it on purpose that only the newest were looked at.
          docs/payments.md lists all that was paid and not reported.
        </p>
      </Card>
    );
  }
  if (count === 0) return "";
  const counted = count === 1 ? "One sale was" : `${countText(count)}${isMore ? "+" : ""} sales were`;
  return (
    <Card
      title={`${counted} not reported to Meta`}
      lead="Paid in the last seven days, when no pool with a pixel was known for them. Register them again with their visit's tracking_token, or with bot and telegram_user_id, and they are reported."
    >
      <DataTable
        caption="The newest sales that were not reported"
        hideCaption
        rows={newest}
        empty="None."
        columns={unreportedColumns(props.zone)}
      />
    </Card>
  );
}

function unreportedColumns(zone: string): readonly Column<UnreportedSale>[] {
  return [
    {
      head: "Payment",
      cell: ({ paymentId }) => (
        <a class="mono" href={`/ops/visitors?q=${paymentId}`} safe>
          {paymentId}
        </a>
      ),
    },
    figureColumn("Amount", ({ amount }) => amount),
    nameColumn("Reference", ({ provider, providerRef }) => `${provider} ${providerRef}`),
    { head: "Paid", cell: ({ paidAt }) => <TimeOf at={paidAt} zone={zone} /> },
  ];
}

export interface DeadLine {
  readonly pool: string;
  readonly eventName: string;
  readonly events: number;
  readonly lastError: string;
}

/** What died, and of what: the first line costs most. */
export function DeadEvents(props: { readonly dead: readonly DeadLine[] }): JSX.Element {
  if (props.dead.length === 0) return "";
  return (
    <Card
      title="Dead events"
      lead="Not sent unless somebody retries them. The words are those of the newest."
    >
      <DataTable
        caption="Dead events by pool and kind"
        hideCaption
        rows={props.dead}
        empty="None."
        columns={DEAD_COLUMNS}
      />
      <p>
        <a href="/ops/outbox?status=dead">Look at them in the outbox</a>
      </p>
    </Card>
  );
}

const DEAD_COLUMNS: readonly Column<DeadLine>[] = [
  nameColumn("Pool", ({ pool }) => pool),
  textColumn("Event", ({ eventName }) => eventName),
  countColumn("Events", ({ events }) => events),
  {
    head: "Last error",
    cell: ({ lastError }) => (
      <span class="words" safe>
        {lastError}
      </span>
    ),
  },
];
