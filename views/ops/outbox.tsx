import { DESTINATIONS, OUTBOX_STATUSES, type OutboxStatus } from "../../src/db/define-schema.ts";
import { ConfirmForm, FilterForm, SelectField, TextField } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import { type EventLine, LONGEST_WORD, type OutboxFields } from "./outbox-data.ts";
import { Badge, Banner, Card, PageHead, Pager, type Tone } from "./parts.tsx";
import { type Column, DataTable } from "./table.tsx";
import { TimeOf } from "./time.tsx";

const LIST = "/ops/outbox";
const REPLAY = "/ops/outbox/replay";

export const STATUS_TONES: Readonly<Record<OutboxStatus, Tone>> = {
  pending: "info",
  sending: "info",
  delivered: "good",
  dead: "bad",
  expired: "bad",
  discarded: "idle",
};

/** The events that the filter matches, newest first, and what can be done with them. */
export function OutboxPage(props: {
  readonly rows: readonly EventLine[];
  readonly next: string | null;
  readonly isFirst: boolean;
  readonly fields: OutboxFields;
  /** Of a filter that was not understood: nothing is listed then. */
  readonly errors: FieldErrors;
  /** Whether something should have been changed, and was not. */
  readonly wasChange: boolean;
  readonly filled: Readonly<Record<string, string>>;
  /** How many of all that match could be changed. */
  readonly matching: { readonly retry: number; readonly discard: number };
  readonly csrfToken: string;
  readonly zone: string;
}): JSX.Element {
  const { rows, next, isFirst, filled, csrfToken, zone, errors } = props;
  const isFaulty = Object.keys(errors).length > 0;
  const address = (more: Readonly<Record<string, string>>) => {
    const query = new URLSearchParams({ ...filled, ...more });
    return query.size > 0 ? `${LIST}?${query}` : LIST;
  };
  return (
    <>
      <PageHead title="Outbox" lead="Everything that goes to Meta and Telegram, newest first." />
      <OutboxFilterForm fields={props.fields} errors={errors} />
      {isFaulty ? <FilterFault errors={errors} wasChange={props.wasChange} /> : null}
      {isFaulty ? null : (
        <Card
          title="Events"
          actions={<BulkActions matching={props.matching} filled={filled} csrfToken={csrfToken} />}
        >
          <form method="post" action={REPLAY} class="rows">
            <input type="hidden" name="_csrf" value={csrfToken} />
            {Object.entries(filled).map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
            <DataTable
              caption="Events, newest first"
              hideCaption
              columns={columns(zone)}
              rows={rows}
              empty="No event matches. Clear the filter to see all of them."
            />
            {rows.length === 0 ? null : (
              <div class="actions">
                <button type="submit" name="action" value="retry">
                  Retry the ticked
                </button>
                <button type="submit" name="action" value="discard" class="danger">
                  Discard the ticked
                </button>
              </div>
            )}
          </form>
          <Pager
            first={isFirst ? null : address({})}
            next={next === null ? null : address({ cursor: next })}
            shown={rows.length === 1 ? "1 event" : `${rows.length} events`}
          />
        </Card>
      )}
    </>
  );
}

function FilterFault(props: { readonly errors: FieldErrors; readonly wasChange: boolean }): JSX.Element {
  return (
    <Banner tone="bad" title={props.wasChange ? "Nothing was changed" : "Nothing is listed"} announced>
      <span safe>
        {props.errors[""] ?? "The filter is not understood; what is wrong stands beside its field."}
      </span>
    </Banner>
  );
}

function OutboxFilterForm(props: {
  readonly fields: OutboxFields;
  readonly errors: FieldErrors;
}): JSX.Element {
  const { fields, errors } = props;
  const common = (name: keyof OutboxFields) => ({
    name,
    value: fields[name],
    error: errors[name],
    maxLength: LONGEST_WORD,
  });
  const option = (value: string) => ({ value, label: value });
  return (
    <FilterForm action={LIST}>
      <SelectField
        label="Status"
        {...common("status")}
        options={[{ value: "", label: "any" }, ...OUTBOX_STATUSES.map(option)]}
      />
      <SelectField
        label="Destination"
        {...common("destination")}
        options={[{ value: "", label: "any" }, ...DESTINATIONS.map(option)]}
      />
      <TextField label="Pool" {...common("pool")} placeholder="slug" />
      <TextField label="Event" {...common("event")} placeholder="Purchase" />
      <TextField label="Event id or error" {...common("text")} type="search" />
      <TextField label="From" {...common("from")} type="datetime-local" />
      <TextField label="To" {...common("to")} type="datetime-local" />
    </FilterForm>
  );
}

/** Retry and discard of all that match, each with its number asked first. */
function BulkActions(props: {
  readonly matching: { readonly retry: number; readonly discard: number };
  readonly filled: Readonly<Record<string, string>>;
  readonly csrfToken: string;
}): JSX.Element {
  const { matching, filled, csrfToken } = props;
  return (
    <>
      {matching.retry === 0 ? null : (
        <ConfirmForm
          action={REPLAY}
          csrfToken={csrfToken}
          label="Retry all…"
          question={`${eventsText(matching.retry)} of this filter will be sent at once. What was sent cannot be taken back.`}
          confirm={`Retry ${eventsText(matching.retry)}`}
          fields={{ ...filled, all: "1", action: "retry" }}
        />
      )}
      {matching.discard === 0 ? null : (
        <ConfirmForm
          action={REPLAY}
          csrfToken={csrfToken}
          label="Discard all…"
          question={`${eventsText(matching.discard)} of this filter will not be sent. There is no undo; a discarded event can be retried until retention removes it.`}
          confirm={`Discard ${eventsText(matching.discard)}`}
          danger
          fields={{ ...filled, all: "1", action: "discard" }}
        />
      )}
    </>
  );
}

function eventsText(total: number): string {
  return total === 1 ? "1 event" : `${total} events`;
}

function columns(zone: string): Column<EventLine>[] {
  return [
    {
      head: "Written",
      cell: ({ id, created_at }) => (
        <a href={`${LIST}/${id}`}>
          <TimeOf at={created_at} zone={zone} />
        </a>
      ),
    },
    {
      head: "Pick",
      cell: ({ id, status }) =>
        status === "delivered" || status === "sending" ? (
          <span />
        ) : (
          <input type="checkbox" name="id" value={String(id)} aria-label={`Event ${id}`} />
        ),
    },
    { head: "Event", cell: ({ event_name }) => <span safe>{event_name}</span> },
    { head: "Status", cell: ({ status }) => <Badge tone={STATUS_TONES[status]} text={status} /> },
    { head: "Tries", align: "end", cell: ({ attempts }) => <span>{attempts}</span> },
    { head: "Pool", cell: ({ pool }) => <span safe>{pool ?? "–"}</span> },
    { head: "Route", cell: ({ destination, route }) => <span safe>{`${destination} ${route}`}</span> },
    { head: "Last error", cell: ({ last_error }) => <span safe>{last_error ?? ""}</span> },
  ];
}
