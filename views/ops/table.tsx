/** @jsxImportSource @kitajs/html */
import { countText } from "./numbers.ts";
import { Name } from "./parts.tsx";

/** A column of a table: what its head says, and what stands in each row's cell. */
export interface Column<T> {
  readonly head: string;
  /** Stands beside the head's words, such as a box that ticks all. */
  readonly headControl?: JSX.Element;
  /** Numbers are aligned at their end, under each other. */
  readonly align?: "start" | "end";
  readonly cell: (row: T) => JSX.Element;
}

/** A column of plain words. */
export function textColumn<T>(head: string, text: (row: T) => string): Column<T> {
  return { head, cell: (row) => <span safe>{text(row)}</span> };
}

/** A column of names that strangers gave: long ones break. */
export function nameColumn<T>(head: string, name: (row: T) => string): Column<T> {
  return { head, cell: (row) => <Name text={name(row)} /> };
}

/** A column of texts that are read as numbers, aligned at their end. */
export function figureColumn<T>(head: string, text: (row: T) => string): Column<T> {
  return { ...textColumn(head, text), align: "end" };
}

/** A column of whole numbers. */
export function countColumn<T>(head: string, count: (row: T) => number): Column<T> {
  return figureColumn(head, (row) => countText(count(row)));
}

/** A table with its caption; on a narrow screen it scrolls by itself. The first column names the row. */
export function DataTable<T>(props: {
  readonly caption: string;
  /** The caption is there for screen readers only, where a heading above says the same. */
  readonly hideCaption?: boolean;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  /** What to say where there are no rows. */
  readonly empty: string;
  /**
   * `even`: columns of the same width in every such table, for tables under each other. `stacked`: on a phone each row
   * becomes a card, its cells under each other with their heads, for rows that are read whole.
   */
  readonly layout?: "even" | "stacked";
}): JSX.Element {
  const { caption, columns, rows } = props;
  return (
    <section class="scroll" aria-label={caption} tabindex="0">
      <table class={props.layout}>
        <caption class={props.hideCaption ? "hidden" : undefined} safe>
          {caption}
        </caption>
        <thead>
          <tr>
            {columns.map(({ head, headControl: safeControl, align }) => (
              <th scope="col" class={align === "end" ? "end" : undefined}>
                <span safe>{head}</span>
                {safeControl ?? null}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 ? (
            <tr>
              <td class="nothing" colspan={String(columns.length)} safe>
                {props.empty}
              </td>
            </tr>
          ) : (
            rows.map((row) => <Row row={row} columns={columns} />)
          )}
        </tbody>
      </table>
    </section>
  );
}

function Row<T>(props: { readonly row: T; readonly columns: readonly Column<T>[] }): JSX.Element {
  return (
    <tr>
      {props.columns.map(({ head, align, cell }, i) => {
        const look = align === "end" ? "end" : undefined;
        const safeCell = cell(props.row);
        return i === 0 ? (
          <th scope="row" class={look} data-head={head}>
            {safeCell}
          </th>
        ) : (
          <td class={look} data-head={head}>
            {safeCell}
          </td>
        );
      })}
    </tr>
  );
}
