/** @jsxImportSource @kitajs/html */
import { countText } from "./numbers.ts";
import { Badge, Card, PageHead, Pager } from "./parts.tsx";
import type { PoolLine } from "./pool-data.ts";
import { type Column, DataTable } from "./table.tsx";

const LIST = "/ops/pools";

/** Every pool, in the order they were made. */
export function PoolsPage(props: {
  readonly lines: readonly PoolLine[];
  readonly next: string | null;
  readonly isFirst: boolean;
}): JSX.Element {
  const { lines, next, isFirst } = props;
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
        />
        <Pager
          first={isFirst ? null : LIST}
          next={next === null ? null : `${LIST}?cursor=${next}`}
          shown={lines.length === 1 ? "1 pool" : `${lines.length} pools`}
        />
      </Card>
    </>
  );
}

const COLUMNS: readonly Column<PoolLine>[] = [
  {
    head: "Slug",
    cell: ({ id, slug }) => (
      <a class="name" href={`${LIST}/${id}`} safe>
        {slug}
      </a>
    ),
  },
  {
    head: "Name",
    cell: ({ name }) => (
      <span class="name" safe>
        {name}
      </span>
    ),
  },
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
    cell: ({ bots }) => (
      <span class="name" safe>
        {bots.map(({ text }) => text).join(", ")}
      </span>
    ),
  },
  { head: "Today", align: "end", cell: ({ today }) => <span safe>{countText(today)}</span> },
  { head: "Visits", align: "end", cell: ({ visits }) => <span safe>{countText(visits)}</span> },
];

/** What decides whether visitors come in and whether Meta hears of them. */
function StatusBadge({ line }: { readonly line: PoolLine }): JSX.Element {
  if (!line.enabled) return <Badge tone="idle" text="off" />;
  if (line.testCode !== null) return <Badge tone="warn" text="on, test code" />;
  if (!line.tracked) return <Badge tone="warn" text="on, not tracked" />;
  return <Badge tone="good" text="on" />;
}
