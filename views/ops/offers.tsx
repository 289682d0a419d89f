/** @jsxImportSource @kitajs/html */
import type { OfferLine } from "./bot-data.ts";
import type { Piece } from "./list-data.ts";
import { countedText } from "./numbers.ts";
import { Badge, Card, Name, Pager } from "./parts.tsx";
import { type Column, countColumn, DataTable, figureColumn, nameColumn } from "./table.tsx";

/** What a bot sells. */
export function OffersCard(props: {
  readonly offers: Piece<OfferLine>;
  /** The bot's own address. */
  readonly path: string;
}): JSX.Element {
  const { path } = props;
  const { lines, next, isFirst } = props.offers;
  return (
    <Card
      title="Offers"
      lead="A button each in the answer to /start, by their place."
      id="offers"
      actions={
        <a class="button" href={`${path}/offers/new`}>
          New offer
        </a>
      }
    >
      <DataTable
        caption="Offers by their place"
        hideCaption
        columns={COLUMNS}
        rows={lines}
        empty="No offer yet: the bot greets people and sells them nothing."
        layout="stacked"
      />
      {next === null && isFirst ? null : (
        <Pager
          first={isFirst ? null : `${path}#offers`}
          next={next === null ? null : `${path}?offers=${next}#offers`}
          shown={countedText(lines.length, "offer")}
        />
      )}
    </Card>
  );
}

const COLUMNS: readonly Column<OfferLine>[] = [
  {
    head: "Offer",
    cell: ({ id, name }) => <Name text={name} href={`/ops/offers/${id}`} />,
  },
  figureColumn("Price", ({ price }) => price),
  {
    head: "Status",
    cell: ({ enabled, isPayable }) => {
      if (!enabled) return <Badge tone="idle" text="off" />;
      return isPayable ? <Badge tone="good" text="for sale" /> : <Badge tone="warn" text="nobody can pay" />;
    },
  },
  nameColumn("Paid by", ({ provider }) => provider),
  countColumn("Place", ({ position }) => position),
];
