/** @jsxImportSource @kitajs/html */

import type { Piece } from "./list-data.ts";
import { countedText } from "./numbers.ts";
import { Card, CursorPager, PageHead } from "./parts.tsx";
import { type Column, DataTable, nameColumn, textColumn } from "./table.tsx";
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
export function AuditPage(props: Piece<AuditLine> & { readonly zone: string }): JSX.Element {
  const { lines, zone } = props;
  return (
    <>
      <PageHead title="Audit" lead="Who changed what: console, command line and API keys." />
      <Card title="Changes">
        <DataTable
          caption="Changes, newest first"
          hideCaption
          layout="stacked"
          columns={columns(zone)}
          rows={lines}
          empty="Nothing was changed yet."
        />
        <CursorPager {...props} list={LIST} shown={countedText(lines.length, "change")} />
      </Card>
    </>
  );
}

function columns(zone: string): Column<AuditLine>[] {
  return [
    { head: "When", cell: ({ at }) => <TimeOf at={at} zone={zone} /> },
    nameColumn("Who", ({ actor }) => actor),
    textColumn("Did", ({ action }) => action),
    nameColumn("To", ({ subject }) => subject),
    { head: "What", cell: (line) => <Changes lines={changeLines(line)} /> },
  ];
}

/** So many lines are read at a glance; more are opened where somebody asks. */
const MOST_LINES = 4;

function Changes({ lines }: { readonly lines: readonly string[] }): JSX.Element {
  const list = (
    <ul class="changes">
      {lines.map((line) => (
        <li safe>{line}</li>
      ))}
    </ul>
  );
  if (lines.length === 0) return "";
  if (lines.length <= MOST_LINES) return list;
  return (
    <details>
      <summary safe>{`${lines.length} values`}</summary>
      {list}
    </details>
  );
}

/** What a change was, a line for each value: `name: before → after`, or the one of both that there is. */
function changeLines({ before, after }: Pick<AuditLine, "before" | "after">): string[] {
  const was = valuesOf(before);
  const is = valuesOf(after);
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) => {
    if (was.has(name) && is.has(name))
      return `${name}: ${valueText(was.get(name))} → ${valueText(is.get(name))}`;
    const value = was.get(name) ?? is.get(name);
    return isNothing(value) ? [] : `${name}: ${valueText(value)}`;
  });
}

function valuesOf(side: unknown): Map<string, unknown> {
  return new Map(typeof side === "object" && side !== null ? Object.entries(side) : []);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
}

function valueText(value: unknown): string {
  if (isNothing(value)) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
