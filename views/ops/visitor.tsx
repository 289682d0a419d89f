/** @jsxImportSource @kitajs/html */
import { StatusBadge } from "./outbox-status.tsx";
import { Card, Facts, PageHead } from "./parts.tsx";
import { type Column, DataTable, figureColumn, textColumn } from "./table.tsx";
import { durationText, TimeOf } from "./time.tsx";
import type { PaymentLine, StepLine, VisitorFacts } from "./visitor-data.ts";

/** One visitor on a page of their own. */
export function VisitorPage(props: { readonly visitor: VisitorFacts; readonly zone: string }): JSX.Element {
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
  visitor,
  zone,
}: {
  readonly visitor: VisitorFacts;
  readonly zone: string;
}): JSX.Element {
  const { token, payments, steps, known } = visitor;
  return (
    <>
      <Card title="What happened" lead={token ?? "Came without an ad"}>
        <DataTable
          caption={`What happened to ${token ?? "a person who came without an ad"}`}
          hideCaption
          layout="stacked"
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
            layout="stacked"
            columns={paymentColumns(zone)}
            rows={payments}
            empty=""
          />
        </Card>
      )}
      <Card title="What is known">
        <Facts items={known.map(([name, value]) => ({ name, value: <span safe>{value}</span> }))} />
      </Card>
    </>
  );
}

function stepColumns(zone: string): Column<StepLine>[] {
  return [
    { head: "When", cell: ({ at }) => <TimeOf at={at} zone={zone} /> },
    figureColumn("After", ({ after_ms }) => (after_ms === null ? "" : durationText(after_ms))),
    textColumn("What", ({ kind, event_name }) => event_name ?? kind.replaceAll("_", " ")),
    {
      head: "Status",
      cell: ({ status }) => (status === null ? <span /> : <StatusBadge status={status} />),
    },
    textColumn("Detail", (step) => step.detail ?? waitedText(step)),
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

/** How long a delivered event had waited: its line stands where it was sent. */
function waitedText({ status, at, written_at }: StepLine): string {
  if (status !== "delivered" || written_at === null) return "";
  return `sent ${durationText(Date.parse(at) - Date.parse(written_at))} after it was written down`;
}

function paymentColumns(zone: string): Column<PaymentLine>[] {
  return [
    {
      head: "Payment",
      cell: ({ id }) => (
        <code class="mono" safe>
          {id}
        </code>
      ),
    },
    textColumn("Status", ({ status }) => status),
    figureColumn("Amount", ({ amount }) => amount),
    textColumn("Provider", ({ provider }) => provider),
    { head: "Made", cell: ({ created_at }) => <TimeOf at={created_at} zone={zone} /> },
    { head: "Paid", cell: ({ paid_at }) => <TimeOf at={paid_at} zone={zone} /> },
    {
      head: "Purchase",
      cell: ({ purchase, meta_purchase_sent_at }) =>
        purchase === null ? (
          <span>{meta_purchase_sent_at === null ? "–" : "no longer kept"}</span>
        ) : (
          <StatusBadge status={purchase} />
        ),
    },
  ];
}
