import { type Column, getTableColumns, getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { columnName } from "../column-name.ts";

export type Row = Readonly<Record<string, unknown>>;

/** How a column's values travel: as the elements of one array, in the text of one parameter. */
interface ArrayForm {
  write(values: readonly unknown[]): string;
  /** The expression that makes the array of the parameter, known by its placeholder. */
  read(parameter: string): string;
  /** The text of an array without elements. */
  readonly empty: string;
}

interface ColumnCodec {
  readonly key: string;
  /** The column's name in SQL. */
  readonly name: string;
  readonly form: ArrayForm;
  /** The expression that makes of an element, known by the column's name, what the column holds. */
  readonly restored: string;
}

const codecs = new WeakMap<PgTable, ReadonlyMap<string, ColumnCodec>>();

/**
 * What a statement reads many rows from, under their columns' names: one array a column, however many rows. Postgres
 * reads arrays in half the time of JSON, which repeats every name in every row.
 *
 * @param tables whose columns a row has
 * @param rows at least one; all have the first one's keys, and one of these has a value in each of them
 * @param give takes the text of a parameter and answers its placeholder
 * @throws Error where a key is no column of the tables
 */
export function relationOf(
  tables: readonly PgTable[],
  rows: readonly Row[],
  give: (text: string) => string,
): string {
  const keys = Object.keys(rows[0] ?? {});
  const columns = keys.map((key) => codecOf(tables, key));
  const carried = columns.map(({ key, name, form }) => {
    const values = rows.map((row) => row[key]);
    // Where an array ends before the others, nulls follow.
    const text = values.every(isNothing) ? form.empty : form.write(values);
    return `unnest(${form.read(give(text))}) as ${name}`;
  });
  const restored = columns.map((column) => column.restored).join(", ");
  // Beside one another in a select the arrays are read row by row; in a `from` each would first be stored as a table.
  return `(select ${restored} from (select ${carried.join(", ")}) as carried) as given`;
}

/** Values as the text of a Postgres array. */
export function arrayOf(values: readonly unknown[], element: (value: unknown) => string = String): string {
  const elements = values.map((value) => (isNothing(value) ? "null" : element(value)));
  return `{${elements.join(",")}}`;
}

/** A text as an element of an array. */
export function quoted(value: unknown): string {
  return `"${String(value).replace(/["\\]/g, "\\$&")}"`;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}

function codecOf(tables: readonly PgTable[], key: string): ColumnCodec {
  for (const table of tables) {
    const codec = codecsOf(table).get(key);
    if (codec !== undefined) return codec;
  }
  throw new Error(`${tables.map(getTableName).join(" and ")} has no column for "${key}"`);
}

function codecsOf(table: PgTable): ReadonlyMap<string, ColumnCodec> {
  const known = codecs.get(table);
  if (known) return known;
  const columns = Object.entries(getTableColumns(table));
  const made = new Map(columns.map(([key, column]) => [key, { key, ...codecFor(column, columnName(key)) }]));
  codecs.set(table, made);
  return made;
}

function codecFor(column: Column, name: string): Omit<ColumnCodec, "key"> {
  switch (column.dataType) {
    case "string":
      return { name, form: texts(String), restored: name };
    case "date":
      // As seconds: a number is read faster than a date is.
      return { name, form: array("float8", seconds), restored: `to_timestamp(${name}) as ${name}` };
    case "custom":
      return { name, form: texts(JSON.stringify), restored: `${name}::json as ${name}` };
    default:
      return { name, form: array(column.getSQLType(), String), restored: name };
  }
}

/** Numbers and the like, as Postgres writes arrays. */
function array(type: string, element: (value: unknown) => string): ArrayForm {
  return {
    write: (values) => arrayOf(values, element),
    read: (parameter) => `${parameter}::${type}[]`,
    empty: "{}",
  };
}

/**
 * Texts, each after a boundary that nobody outside can know, as the parts of a mail are: so nothing in them need be
 * escaped, and Postgres divides them faster than it reads an array's text.
 */
function texts(text: (value: unknown) => string): ArrayForm {
  return {
    write: (values) =>
      BOUNDARY + values.map((value) => (isNothing(value) ? NULL : text(value))).join(BOUNDARY),
    // Before the first boundary stands an empty text: without it, a single empty one would be no element at all.
    read: (parameter) => `(string_to_array(${parameter}, '${BOUNDARY}', '${NULL}'))[2:]`,
    empty: "",
  };
}

const BOUNDARY = `|${randomWord()}|`;
const NULL = `-${randomWord()}-`;

function randomWord(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(9))).toString("base64url");
}

function seconds(value: unknown): string {
  return String(Number(value) / 1000);
}
