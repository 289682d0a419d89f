/** @jsxImportSource @kitajs/html */
import { countText } from "./numbers.ts";
import { Card, Name } from "./parts.tsx";
import { type Column, countColumn, DataTable } from "./table.tsx";

/** Visitors whom a gate did not let in. */
export interface Refusals {
  /** The link's secret parameter is missing or wrong. */
  readonly param: number;
  /** Clients that say that they are automated. */
  readonly automated: number;
}

export interface PoolRefusals extends Refusals {
  readonly pool_id: number;
  readonly pool: string;
}

/** Whom the gates turned away, by pool and reason; nothing where nobody was. */
export function RefusedVisitors(props: { readonly refused: readonly PoolRefusals[] }): JSX.Element {
  if (props.refused.length === 0) return "";
  return (
    <Card
      title="Turned away at the gate"
      lead="They saw the 403 page; no click of the funnel counts them. Many without the parameter: look at the ad's link."
    >
      <DataTable
        caption="Refusals by pool, in the whole hours of the span"
        hideCaption
        rows={props.refused}
        empty="Nobody."
        columns={COLUMNS}
      />
    </Card>
  );
}

const COLUMNS: readonly Column<PoolRefusals>[] = [
  {
    head: "Pool",
    cell: ({ pool_id, pool }) => <Name text={pool} href={`/ops/pools/${pool_id}`} />,
  },
  countColumn("Parameter missing or wrong", ({ param }) => param),
  countColumn("Automated", ({ automated }) => automated),
];

/** The same of one pool, as a sentence. */
export function refusalsText({ param, automated }: Refusals): string {
  if (param + automated === 0) return "none";
  return `${countText(param)} without the parameter, ${countText(automated)} automated`;
}
