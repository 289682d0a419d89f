import { type Column, getTableColumns, getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { columnName } from "./column-name.ts";

export type Row = Readonly<Record<string, unknown>>;

/** How a column's values travel: as the elements of one array. */
interface Carriage {
  readonly key: string;
  /** The column's name in SQL. */
  readonly name: string;
  /** The type of the elements. */
  readonly type: string;
  /** A value that is not null, as it is written inside an array's text. */
  element(value: unknown): string;
  /** The expression that makes of an element, known by the column's name, what the column holds. */
  readonly restored: string;
}

const carriages = new WeakMap<PgTable, ReadonlyMap<string, Carriage>>();

/**
 * What a statement reads many rows from, under their columns' names: one array a column, however many rows. Postgres
 * reads arrays in half the time of JSON, which repeats every name in every row.
 *
 * @param tables whose columns a row has
 * @param rows at least one; all have the first one's keys
 * @param give takes the text of a parameter and answers its placeholder
 * @throws Error where a key is no column of the tables
 */
export function relationOf(
  tables: readonly PgTable[],
  rows: readonly Row[],
  give: (text: string) => string,
): string {
  const keys = Object.keys(rows[0] ?? {});
  const columns = keys.map((key) => carriageOf(tables, key));
  const carried = columns.map(({ key, name, type, element }) => {
    const values = rows.map((row) => row[key]);
    return `unnest(${give(arrayOf(values, element))}::${type}[]) as ${name}`;
  });
  const restored = columns.map((column) => column.restored).join(", ");
  // Beside one another in a select the arrays are read row by row; in a `from` each would first be stored as a table.
  return `(select ${restored} from (select ${carried.join(", ")}) as carried) as given`;
}

/** Values as the text of a Postgres array. */
export function arrayOf(values: readonly unknown[], element: (value: unknown) => string = String): string {
  const elements = values.map((value) => (value === null || value === undefined ? "null" : element(value)));
  return `{${elements.join(",")}}`;
}

function carriageOf(tables: readonly PgTable[], key: string): Carriage {
  for (const table of tables) {
    const carriage = carriagesOf(table).get(key);
    if (carriage !== undefined) return carriage;
  }
  throw new Error(`${tables.map(getTableName).join(" and ")} has no column for "${key}"`);
}

function carriagesOf(table: PgTable): ReadonlyMap<string, Carriage> {
  const known = carriages.get(table);
  if (known) return known;
  const columns = Object.entries(getTableColumns(table));
  const made = new Map(
    columns.map(([key, column]) => [key, { key, ...carriageFor(column, columnName(key)) }]),
  );
  carriages.set(table, made);
  return made;
}

function carriageFor(column: Column, name: string): Omit<Carriage, "key"> {
  switch (column.dataType) {
    case "string":
      return { name, type: "text", element: quoted, restored: name };
    case "date":
      // As seconds: a number is read faster than a date is.
      return { name, type: "float8", element: seconds, restored: `to_timestamp(${name}) as ${name}` };
    case "custom":
      return { name, type: "text", element: quotedJson, restored: `${name}::json as ${name}` };
    default:
      return { name, type: column.getSQLType(), element: String, restored: name };
  }
}

/** A text as an element of an array. */
export function quoted(value: unknown): string {
  return `"${String(value).replace(/["\\]/g, "\\$&")}"`;
}

/** JSON has no control character of its own, so JSON's way of quoting it is the array's way too, and native. */
function quotedJson(value: unknown): string {
  return JSON.stringify(JSON.stringify(value));
}

function seconds(value: unknown): string {
  return String(Number(value) / 1000);
}
