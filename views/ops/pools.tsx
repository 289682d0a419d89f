/** @jsxImportSource @kitajs/html */
import type { Piece } from "./list-data.ts";
import { countedText } from "./numbers.ts";
import { Badge, Card, CursorPager, Name, PageHead } from "./parts.tsx";
import type { PoolLine } from "./pool-data.ts";
import { type Column, countColumn, DataTable, nameColumn } from "./table.tsx";

const LIST = "/ops/pools";

/** Every pool, in the order they were made. */
export function PoolsPage(props: Piece<PoolLine>): JSX.Element {
  const { lines } = props;
  return (
    <>
      <PageHead title="Pools" lead="A link for ads, with its pixel, its gate and its bots.">
        <a class="button primary" href={`${LIST}/new`}>
          New pool
        </a>
      </PageHead>
      <Card
        title="All pools"
        lead="Today begins at midnight of the clock you chose; counted some seconds behind."
      >
        <DataTable
          caption="Pools in the order they were made"
          hideCaption
          columns={COLUMNS}
          rows={lines}
          empty="No pool yet. Make one, and its link is ready for ads."
          layout="stacked"
        />
        <CursorPager {...props} list={LIST} shown={countedText(lines.length, "pool")} />
      </Card>
    </>
  );
}

const COLUMNS: readonly Column<PoolLine>[] = [
  {
    head: "Slug",
    cell: ({ id, slug }) => <Name text={slug} href={`${LIST}/${id}`} />,
  },
  nameColumn("Name", ({ name }) => name),
  { head: "Status", cell: (line) => <StatusBadge line={line} /> },
  {
    head: "Pixel",
    cell: ({ pixel }) =>
      pixel === null ? (
        <span class="soft">none</span>
      ) : (
        <span class="mono" safe>
          {pixel}
        </span>
      ),
  },
  {
    head: "Gate",
    cell: ({ gated }) => <span class={gated ? undefined : "soft"}>{gated ? "asked for" : "open"}</span>,
  },
  {
    head: "Bots",
    cell: ({ bots }) => <Name text={bots.join(", ")} />,
  },
  countColumn("Today", ({ today }) => today),
  countColumn("Visits", ({ visits }) => visits),
];

/** What decides whether visitors come in and whether Meta hears of them. */
function StatusBadge({ line }: { readonly line: PoolLine }): JSX.Element {
  if (!line.enabled) return <Badge tone="idle" text="off" />;
  if (line.paused) return <Badge tone="bad" text="on, paused" />;
  if (line.testCode !== null) return <Badge tone="warn" text="on, test code" />;
  if (!line.tracked) return <Badge tone="warn" text="on, not tracked" />;
  return <Badge tone="good" text="on" />;
}
