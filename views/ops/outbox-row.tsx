/** @jsxImportSource @kitajs/html */
import { ConfirmForm } from "./form.tsx";
import { type EventFacts, type EventHold, REPLAY_ADDRESS, type RequestLine } from "./outbox-data.ts";
import { HeldRoute, poolLink } from "./outbox-hold.tsx";
import { eventsText } from "./outbox-replay.tsx";
import { isChangeable, STATUS_TONES } from "./outbox-status.tsx";
import { Badge, Banner, Card, Facts, PageHead } from "./parts.tsx";
import { TimeOf } from "./time.tsx";

/** One event: what to do about it, what is sent, and every answer that came back. */
export function OutboxRowPage(props: {
  readonly row: EventFacts;
  /** Null where nothing holds its route up. */
  readonly hold: EventHold | null;
  /** Where its pool's page is; null where the pool is gone or it has none. */
  readonly poolId: number | null;
  readonly csrfToken: string;
  readonly zone: string;
}): JSX.Element {
  const { row, hold, poolId, csrfToken, zone } = props;
  return (
    <>
      <PageHead title={`${row.event_name}, event ${row.id}`}>
        <RowActions row={row} isHeld={hold !== null} csrfToken={csrfToken} />
      </PageHead>
      {hold === null ? (
        <Banner tone={STATUS_TONES[row.status]} title={row.status}>
          <p safe>{whatToDo(row)}</p>
        </Banner>
      ) : (
        <HeldRoute
          route={row}
          hold={hold}
          tokenPlace={
            row.pool === null || poolId === null ? (
              ""
            ) : (
              <>
                {"Give it one on the page of "}
                {poolLink(row.pool, poolId)}.
              </>
            )
          }
          back={`/ops/outbox/${row.id}`}
          csrfToken={csrfToken}
          zone={zone}
        />
      )}
      <WhereItIs row={row} poolId={poolId} zone={zone} />
      <Requests requests={row.requests} zone={zone} />
      <Card title="Payload">
        <pre class="mono" tabindex="0" safe>
          {JSON.stringify(row.payload, null, 2)}
        </pre>
      </Card>
    </>
  );
}

function WhereItIs(props: {
  readonly row: EventFacts;
  readonly poolId: number | null;
  readonly zone: string;
}): JSX.Element {
  const { row, poolId, zone } = props;
  const known: readonly (readonly [string, string | null])[] = [
    ["Event id", row.event_id],
    ["Goes to", `${row.destination} ${row.route}`],
    ["Tries", String(row.attempts)],
    ["Last error", row.last_error],
    ["Meta's trace id", row.fbtrace_id],
    ["Payment", row.payment_id],
  ];
  return (
    <Card title="Where it is">
      <Facts
        items={[
          { name: "Written", value: <TimeOf at={row.created_at} zone={zone} /> },
          ...(row.delivered_at === null
            ? [{ name: "Due", value: <TimeOf at={row.available_at} zone={zone} /> }]
            : [{ name: "Delivered", value: <TimeOf at={row.delivered_at} zone={zone} /> }]),
          ...known.flatMap(([name, value]) => (value ? [{ name, value: <span safe>{value}</span> }] : [])),
          ...(row.pool === null ? [] : [{ name: "Pool", value: poolLink(row.pool, poolId) }]),
          ...(row.tracking_token === null ? [] : [visitorFact(row.tracking_token)]),
        ]}
      />
    </Card>
  );
}

function Requests(props: { readonly requests: readonly RequestLine[]; readonly zone: string }): JSX.Element {
  const { requests, zone } = props;
  return (
    <Card title="Requests" lead="Every request that carried it, oldest first, each with its answer.">
      {requests.length === 0 ? (
        <p class="soft">It was not sent yet, or retention removed its requests.</p>
      ) : (
        <ol class="requests">
          {requests.map((request) => (
            <Request request={request} zone={zone} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function visitorFact(token: string) {
  return {
    name: "Visitor",
    value: (
      <a class="mono" href={`/ops/visitors/${encodeURIComponent(token)}`} safe>
        {token}
      </a>
    ),
  };
}

function RowActions(props: {
  readonly row: EventFacts;
  /** Then no retry lets it go. */
  readonly isHeld: boolean;
  readonly csrfToken: string;
}) {
  const { csrfToken } = props;
  const { status, id } = props.row;
  const fields = { id: String(id), on_row: "1" };
  return (
    <>
      {isChangeable(status) && !props.isHeld ? (
        <ConfirmForm
          action={REPLAY_ADDRESS}
          csrfToken={csrfToken}
          label="Retry…"
          question="It will be sent at once, or, where its route is paused, when that goes again. What was sent cannot be taken back."
          confirm="Retry this event"
          fields={{ ...fields, action: "retry" }}
        />
      ) : null}
      {isChangeable(status) && status !== "discarded" ? (
        <ConfirmForm
          action={REPLAY_ADDRESS}
          csrfToken={csrfToken}
          label="Discard…"
          question="It will not be sent. There is no undo; it can be retried until retention removes it."
          confirm="Discard this event"
          danger
          fields={{ ...fields, action: "discard" }}
        />
      ) : null}
      <a class="button" href="/ops/outbox">
        All events
      </a>
    </>
  );
}

/** What the operator should know or do, by where the event stands. */
function whatToDo({ status, destination }: EventFacts): string {
  switch (status) {
    case "delivered":
      return "Nothing to do: the answer was good.";
    case "sending":
      return "A dispatcher has it in hand right now.";
    case "discarded":
      return "An operator took it out of the queue, its person was erased, or its payment was paid or paid back meanwhile.";
    case "expired":
      return destination === "telegram"
        ? "Nothing to do: when its turn came it was more than a day old."
        : "It waited longer than Meta takes events. Retrying is refused again unless the clock was wrong.";
    case "dead":
      return destination === "telegram"
        ? "Telegram will not take it, or Ponte did not send it: the last error says why. A buyer who blocked the bot must unblock it; then retry."
        : "Meta refused it for good. Read the answer below, put right what it names (pixel, parameter), then retry: the same event_id is counted once.";
    case "pending":
      return "It waits for its time and is sent by itself.";
  }
}

/** One request and its answer, indented where it is JSON. */
function Request({ request, zone }: { readonly request: RequestLine; readonly zone: string }): JSX.Element {
  const { outcome, status, code, subcode, events, duration_ms } = request;
  const facts = [
    status === null ? "no answer" : `HTTP ${status}`,
    ...(code === null ? [] : [subcode === null ? `code ${code}` : `code ${code}/${subcode}`]),
    eventsText(events),
    `${duration_ms} ms`,
  ];
  return (
    <li>
      <p>
        <TimeOf at={request.started_at} zone={zone} />{" "}
        <Badge tone={outcome === "delivered" ? "good" : "warn"} text={outcome} />{" "}
        <span safe>{facts.join(", ")}</span>
      </p>
      <pre tabindex="0" safe>
        {answerText(request.response)}
      </pre>
    </li>
  );
}

function answerText(response: unknown): string {
  if (typeof response !== "string") return JSON.stringify(response, null, 2);
  try {
    return JSON.stringify(JSON.parse(response), null, 2);
  } catch {
    return response;
  }
}
