/** @jsxImportSource @kitajs/html */

import { countedText } from "./numbers.ts";
import { Card, CursorPager, PageHead } from "./parts.tsx";
import { type Column, DataTable, textColumn } from "./table.tsx";
import { TimeOf } from "./time.tsx";

const LIST = "/ops/audit";

/** Something an operator did. */
interface AuditLine {
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
        <CursorPager list={LIST} isFirst={isFirst} next={next} shown={countedText(lines.length, "change")} />
      </Card>
    </>
  );
}

function columns(zone: string): Column<AuditLine>[] {
  return [
    { head: "When", cell: ({ at }) => <TimeOf at={at} zone={zone} /> },
    textColumn("Who", ({ actor }) => actor),
    textColumn("Did", ({ action }) => action),
    textColumn("To", ({ subject }) => subject),
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
