/** @jsxImportSource @kitajs/html */
import { Card, PageHead, Pager } from "./parts.tsx";
import { type Column, DataTable } from "./table.tsx";
import { TimeOf } from "./time.tsx";

const LIST = "/ops/audit";

/** Something an operator did. */
export interface AuditLine {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** JSON without secrets: what is written down never holds one. */
  readonly before: unknown;
  readonly after: unknown;
}

/** What operators changed, newest first. */
export function AuditPage(props: {
  readonly lines: readonly AuditLine[];
  readonly next: string | null;
  readonly isFirst: boolean;
  readonly zone: string;
}): JSX.Element {
  const { lines, next, isFirst, zone } = props;
  return (
    <>
      <PageHead title="Audit" lead="Who changed what: console, command line and API keys." />
      <Card title="Changes">
        <DataTable
          caption="Changes, newest first"
          hideCaption
          stacked
          columns={columns(zone)}
          rows={lines}
          empty="Nothing was changed yet."
        />
        <Pager
          first={isFirst ? null : LIST}
          next={next === null ? null : `${LIST}?cursor=${next}`}
          shown={lines.length === 1 ? "1 change" : `${lines.length} changes`}
        />
      </Card>
    </>
  );
}

function columns(zone: string): Column<AuditLine>[] {
  return [
    { head: "When", cell: ({ at }) => <TimeOf at={at} zone={zone} /> },
    { head: "Who", cell: ({ actor }) => <span safe>{actor}</span> },
    { head: "Did", cell: ({ action }) => <span safe>{action}</span> },
    { head: "To", cell: ({ subject }) => <span safe>{subject}</span> },
    {
      head: "Before",
      cell: ({ before }) => (
        <code class="mono json" safe>
          {jsonText(before)}
        </code>
      ),
    },
    {
      head: "After",
      cell: ({ after }) => (
        <code class="mono json" safe>
          {jsonText(after)}
        </code>
      ),
    },
  ];
}

function jsonText(value: unknown): string {
  return value === null ? "" : JSON.stringify(value);
}
