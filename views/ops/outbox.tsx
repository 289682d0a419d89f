/** @jsxImportSource @kitajs/html */
import { DESTINATIONS, OUTBOX_STATUSES } from "../../src/db/vocabulary.ts";
import { SelectField, TextField } from "./fields.tsx";
import { FilterForm, HiddenFields } from "./form.tsx";
import type { FieldErrors } from "./form-data.ts";
import {
  type EventLine,
  LONGEST_WORD,
  type OutboxFields,
  REPLAY_ADDRESS,
  type ReplayAction,
} from "./outbox-data.ts";
import { askAddress, eventsText } from "./outbox-replay.tsx";
import { isChangeable, StatusBadge } from "./outbox-status.tsx";
import { Banner, Card, PageHead, Pager } from "./parts.tsx";
import { type Column, DataTable, nameColumn, textColumn } from "./table.tsx";
import { TimeOf } from "./time.tsx";

const LIST = "/ops/outbox";

/** The fields of the filter that are not empty. */
type Filled = Readonly<Record<string, string>>;

interface EventsProps {
  readonly rows: readonly EventLine[];
  readonly next: string | null;
  /** Older events were not looked at yet: the page may be short or empty, and `next` goes on. */
  readonly isCutShort: boolean;
  readonly isFirst: boolean;
  readonly filled: Filled;
  /** What can be done with all that match. */
  readonly possible: readonly ReplayAction[];
  readonly zone: string;
}

interface OutboxPageProps extends EventsProps {
  readonly fields: OutboxFields;
  /** Of a filter that was not understood: nothing is listed then. */
  readonly errors: FieldErrors;
  /** Whether something should have been changed, and was not. */
  readonly wasChange: boolean;
}

/** The events that the filter matches, newest first, and what can be done with them. */
export function OutboxPage(props: OutboxPageProps): JSX.Element {
  const { filled, errors } = props;
  const isFaulty = Object.keys(errors).length > 0;
  const isFiltered = isFaulty || Object.keys(filled).length > 0;
  return (
    <>
      <PageHead title="Outbox" lead="Everything that goes to Meta and Telegram, newest first." />
      <OutboxFilterForm fields={props.fields} errors={errors} isFiltered={isFiltered} />
      {isFaulty ? <FilterFault errors={errors} wasChange={props.wasChange} /> : <Events {...props} />}
    </>
  );
}

function Events(props: EventsProps): JSX.Element {
  const { rows, next, isCutShort, isFirst, filled, zone } = props;
  const address = (more: Filled) => {
    const query = new URLSearchParams({ ...filled, ...more });
    return query.size > 0 ? `${LIST}?${query}` : LIST;
  };
  const older = isCutShort ? "; Next looks at older ones" : "";
  return (
    <Card title="Events" actions={rows.length === 0 ? null : <ActOnAll {...props} />}>
      <form method="get" action={REPLAY_ADDRESS} class="rows">
        <HiddenFields fields={filled} />
        <DataTable
          caption="Events, newest first"
          hideCaption
          layout="stacked"
          columns={columns(zone)}
          rows={rows}
          empty={isCutShort ? "None among the events looked at so far." : "No event matches."}
        />
        <ActOnSome rows={rows} filled={filled} />
      </form>
      <Pager
        first={isFirst ? null : address({})}
        next={next === null ? null : address({ cursor: next })}
        shown={`${eventsText(rows.length)}${older}`}
      />
    </Card>
  );
}

/** Each leads to a question with the number, which is counted only then: among millions it takes its time. */
function ActOnAll({ possible, filled }: Pick<EventsProps, "possible" | "filled">) {
  return (
    <>
      {possible.map((action) => (
        <a class={action === "discard" ? "button danger" : "button"} href={askAddress(action, "all", filled)}>
          {action === "retry" ? "Retry all…" : "Discard all…"}
        </a>
      ))}
    </>
  );
}

function ActOnSome({ rows, filled }: Pick<EventsProps, "rows" | "filled">) {
  const ids = rows.filter(({ status }) => isChangeable(status)).map(({ id }) => id);
  if (ids.length === 0) return "";
  return (
    <div class="actions">
      <button type="submit" name="action" value="retry">
        Retry the ticked…
      </button>
      <button type="submit" name="action" value="discard" class="danger">
        Discard the ticked…
      </button>
      <a class="button" href={askAddress("retry", { ids }, filled)}>
        Retry this page…
      </a>
      <a class="button danger" href={askAddress("discard", { ids }, filled)}>
        Discard this page…
      </a>
    </div>
  );
}

function FilterFault(props: Pick<OutboxPageProps, "errors" | "wasChange">): JSX.Element {
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
  readonly isFiltered: boolean;
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
    <FilterForm action={LIST} isFiltered={props.isFiltered}>
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
      headControl: <input type="checkbox" data-checks-all="id" aria-label="Tick all on this page" />,
      cell: ({ id, status }) =>
        isChangeable(status) ? (
          <input type="checkbox" name="id" value={String(id)} aria-label={`Event ${id}`} />
        ) : (
          <span />
        ),
    },
    textColumn("Event", ({ event_name }) => event_name),
    { head: "Status", cell: ({ status }) => <StatusBadge status={status} /> },
    { head: "Tries", align: "end", cell: ({ attempts }) => <span>{attempts}</span> },
    nameColumn("Pool", ({ pool }) => pool ?? "–"),
    nameColumn("Route", ({ destination, route }) => `${destination} ${route}`),
    textColumn("Last error", ({ last_error }) => last_error ?? ""),
  ];
}
