import { moneyText } from "../../src/ops/money.ts";
import type { Timeline } from "../../src/tracking/timeline.ts";
import type { Step } from "../../src/tracking/timeline-steps.ts";
import type { PaymentView, SessionView } from "../../src/tracking/timeline-view.ts";
import { Badge, Card, Facts, PageHead, type Tone } from "./parts.tsx";
import { type Column, DataTable } from "./table.tsx";
import { durationText, TimeOf } from "./time.tsx";

/** One visitor on a page of their own. */
export function VisitorPage(props: { readonly timeline: Timeline; readonly zone: string }): JSX.Element {
  return (
    <>
      <PageHead title="Visitor" lead="From click to delivery, with the time between.">
        <a class="button" href="/ops/visitors">
          All visitors
        </a>
      </PageHead>
      <VisitorTimeline {...props} />
    </>
  );
}

/** What happened, and what is known of the visitor. */
export function VisitorTimeline({
  timeline,
  zone,
}: {
  readonly timeline: Timeline;
  readonly zone: string;
}): JSX.Element {
  const { tracking_token: token, session, people, payments, steps } = timeline;
  return (
    <>
      <Card title="What happened" lead={token ?? "Came without an ad"}>
        <DataTable
          caption={`What happened to ${token ?? "a person who came without an ad"}`}
          hideCaption
          columns={stepColumns(zone)}
          rows={steps}
          empty="Nothing has happened yet."
        />
      </Card>
      {payments.length === 0 ? null : (
        <Card title="Payments">
          <DataTable
            caption={`Payments of ${token ?? "a person who came without an ad"}`}
            hideCaption
            columns={paymentColumns(zone)}
            rows={payments}
            empty=""
          />
        </Card>
      )}
      <Card title="What is known">
        <Facts
          items={[
            ...(session === null ? [] : sessionFacts(session)),
            ...people.flatMap((person) => [
              fact("Telegram user", `${person.telegram_user_id} ${person.first_name ?? ""}`.trim()),
              ...(person.username === null ? [] : [fact("Username", `@${person.username}`)]),
              ...(person.blocked_at === null ? [] : [fact("Blocked the bot", person.blocked_at)]),
            ]),
          ]}
        />
      </Card>
    </>
  );
}

function stepColumns(zone: string): Column<Step>[] {
  return [
    { head: "When", cell: ({ at }) => <TimeOf at={at} zone={zone} /> },
    {
      head: "After",
      align: "end",
      cell: ({ after_ms }) => <span safe>{after_ms === null ? "" : durationText(after_ms)}</span>,
    },
    {
      head: "What",
      cell: ({ kind, event_name }) => <span safe>{event_name ?? kind.replaceAll("_", " ")}</span>,
    },
    {
      head: "Status",
      cell: ({ status }) =>
        status === null ? <span /> : <Badge tone={STATUS_TONES[status]} text={status} />,
    },
    { head: "Detail", cell: ({ detail }) => <span safe>{detail ?? ""}</span> },
    {
      head: "Event or payment",
      cell: ({ event_id, payment_id, outbox_id }) => {
        const id = event_id ?? payment_id ?? "";
        return outbox_id === null ? (
          <code class="mono" safe>
            {id}
          </code>
        ) : (
          <a class="mono" href={`/ops/outbox/${outbox_id}`} safe>
            {id}
          </a>
        );
      },
    },
  ];
}

const STATUS_TONES: Readonly<Record<NonNullable<Step["status"]>, Tone>> = {
  pending: "info",
  sending: "info",
  delivered: "good",
  dead: "bad",
  expired: "bad",
  discarded: "idle",
};

function paymentColumns(zone: string): Column<PaymentView>[] {
  return [
    {
      head: "Payment",
      cell: ({ id }) => (
        <code class="mono" safe>
          {id}
        </code>
      ),
    },
    { head: "Status", cell: ({ status }) => <span>{status}</span> },
    {
      head: "Amount",
      align: "end",
      cell: ({ amount_minor, currency }) => <span safe>{moneyText(amount_minor, currency)}</span>,
    },
    { head: "Provider", cell: ({ provider }) => <span safe>{provider}</span> },
    { head: "Made", cell: ({ created_at }) => <TimeOf at={created_at} zone={zone} /> },
    { head: "Paid", cell: ({ paid_at }) => <TimeOf at={paid_at} zone={zone} /> },
    { head: "Purchase reported", cell: (row) => <TimeOf at={row.meta_purchase_sent_at} zone={zone} /> },
  ];
}

function sessionFacts(session: SessionView) {
  const known: readonly (readonly [string, string | null | undefined])[] = [
    ["Pool", session.pool?.slug ?? "removed"],
    ["Bot", session.bot && `@${session.bot.username}`],
    ["Source", session.utm_source],
    ["Campaign", session.utm_campaign],
    ["Medium", session.utm_medium],
    ["Content", session.utm_content],
    ["Term", session.utm_term],
    ["fbclid", session.fbclid],
    ["fbc", session.fbc && `${session.fbc} (${session.fbc_origin})`],
    ["fbp", session.fbp],
    ["Address", session.client_ip],
    ["User agent", session.user_agent],
    ["Referrer", session.referrer],
    ["Consent", session.consent],
    ["Further parameters", session.params && JSON.stringify(session.params)],
  ];
  return known.flatMap(([name, value]) => (value ? [fact(name, value)] : []));
}

function fact(name: string, value: string) {
  return { name, value: <span safe>{value}</span> };
}
