/** @jsxImportSource @kitajs/html */
import { countedText } from "./numbers.ts";
import { StatusBadge } from "./outbox-status.tsx";
import { Card, EmptyState, PageHead, Pager } from "./parts.tsx";
import { type Column, DataTable, nameColumn, textColumn } from "./table.tsx";
import { TimeOf } from "./time.tsx";
import { VisitorTimeline } from "./visitor.tsx";
import type { VisitLine, VisitorFacts } from "./visitor-data.ts";

const LIST = "/ops/visitors";

/** The newest visits, under the search. */
export function LatestPage(props: {
  readonly visits: readonly VisitLine[];
  /** The token that the next page is older than; null on the last one. */
  readonly older: string | null;
  readonly isFirst: boolean;
  readonly zone: string;
}): JSX.Element {
  const { visits, older, isFirst, zone } = props;
  return (
    <>
      <PageHead title="Visitors" lead="One visitor from click to delivery." />
      <SearchForm asked="" />
      <Card title={isFirst ? "Latest visits" : "Earlier visits"}>
        <DataTable
          caption="Visits, newest first"
          hideCaption
          columns={columns(zone)}
          rows={visits}
          empty="Nobody has come yet. Open a pool's link, and the visit stands here."
          layout="stacked"
        />
        <Pager
          first={isFirst ? null : LIST}
          next={older === null ? null : `${LIST}?before=${older}`}
          shown={countedText(visits.length, "visit")}
        />
      </Card>
    </>
  );
}

/** What the search found; everything of it at once, because nobody has more than twenty visits shown. */
export function FoundPage(props: {
  readonly found: readonly VisitorFacts[];
  readonly asked: string;
  readonly zone: string;
}): JSX.Element {
  const { found, asked, zone } = props;
  return (
    <>
      <PageHead title="Visitors" lead={foundText(found.length)} />
      <SearchForm asked={asked} />
      {found.length === 0 ? (
        <Card title="Nothing found">
          <EmptyState
            title="Nothing is known by that key"
            text="Give a tracking token or a payment's id (32 characters, 0-9 and a-f), an event_id, or the number of a Telegram user, each whole."
          >
            <a href={LIST}>See the latest visits</a>
          </EmptyState>
        </Card>
      ) : (
        found.map((visitor) => <VisitorTimeline visitor={visitor} zone={zone} />)
      )}
    </>
  );
}

function foundText(total: number): string {
  if (total === 0) return "Nobody was found.";
  return total === 1 ? "1 visitor found." : `${total} visits of one person found, the newest first.`;
}

function SearchForm({ asked }: { readonly asked: string }): JSX.Element {
  return (
    <form method="get" action={LIST} class="filters">
      <div class="field keyed">
        <label for="f-q">Token, payment, event id or Telegram user id</label>
        <input
          id="f-q"
          name="q"
          type="search"
          value={asked}
          maxlength="200"
          autocomplete="off"
          spellcheck="false"
        />
      </div>
      <button type="submit">Find</button>
    </form>
  );
}

function columns(zone: string): Column<VisitLine>[] {
  return [
    {
      head: "Click",
      cell: ({ at, trackingToken }) => (
        <a href={`${LIST}/${trackingToken}`}>
          <TimeOf at={at} zone={zone} />
        </a>
      ),
    },
    nameColumn("Pool", ({ poolSlug }) => poolSlug ?? "removed"),
    nameColumn("Source", ({ source }) => source ?? "–"),
    nameColumn("Campaign", ({ campaign }) => campaign ?? "–"),
    { head: "Cookies", cell: ({ hasCookies }) => <span>{hasCookies ? "yes" : "no"}</span> },
    {
      head: "PageView",
      cell: ({ pageView }) => (pageView === null ? <span>none</span> : <StatusBadge status={pageView} />),
    },
    textColumn("Telegram user", ({ telegramUserId }) => telegramUserId ?? "–"),
  ];
}
