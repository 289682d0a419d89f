import type { Database as SqliteClient, Statement } from "bun:sqlite";
import { type Column, getTableColumns, getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { columnName } from "../column-name.ts";
import { divideKeys, type SplitTable } from "../split-table.ts";
import type { Parameter } from "./prepared-statements.ts";

export type Row = Readonly<Record<string, unknown>>;

/** How rows of one shape are written: a statement, and for each parameter its key and encoding. */
export interface RowPlan {
  readonly statement: Statement;
  readonly parameters: readonly { readonly key: string; readonly encode: (value: unknown) => Parameter }[];
  /** One row's parameters, filled anew for each. */
  readonly values: Parameter[];
}

/** How rows of one shape are written into a table that lies in two; the tail's last parameter is the number. */
interface SplitPlan {
  readonly head: RowPlan;
  readonly tail: RowPlan;
}

/** The statements of a connection by which rows are written, each prepared once. */
export function createRowPlans(client: SqliteClient) {
  const plans = new Map<string, RowPlan>();
  /** By table and keys: to divide them costs as much as to write a row. */
  const splitPlans = new Map<string, SplitPlan>();

  function planOf(table: PgTable, text: string, keys: readonly string[]): RowPlan {
    const known = plans.get(text);
    if (known) return known;
    const columns = getTableColumns(table);
    const parameters = keys.map((key) => {
      const column = columns[key];
      if (column === undefined) throw new Error(`${getTableName(table)} has no column for "${key}"`);
      return { key, encode: encoderOf(column) };
    });
    const plan = { statement: client.prepare(text), parameters, values: [] };
    plans.set(text, plan);
    return plan;
  }

  /** Leaves out a row of which one with that key is there already, and of no other conflict; without a key, none. */
  function insertion(table: PgTable, columns: readonly string[], key: readonly string[] = []): RowPlan {
    const list = (of: readonly string[]) => of.map(columnName).join(", ");
    const values = columns.map(() => "?").join(", ");
    const unlessThere = key.length > 0 ? `on conflict (${list(key)}) do nothing` : "";
    const text = `insert into ${getTableName(table)} (${list(columns)}) values (${values}) ${unlessThere}`;
    return planOf(table, text, columns);
  }

  /** The same of a row like this one, into a table that lies in two. */
  function splitInsertion(table: SplitTable, row: Row): SplitPlan {
    const shape = `${getTableName(table.head)} ${Object.keys(row).join()}`;
    const known = splitPlans.get(shape);
    if (known) return known;
    const keys = divideKeys(table, row);
    const plan = {
      head: insertion(table.head, keys.head, table.key),
      tail: insertion(table.tail, [...keys.tail, "id"]),
    };
    splitPlans.set(shape, plan);
    return plan;
  }

  /** Changes the row that has these keys. */
  function change(table: PgTable, columns: readonly string[], keys: readonly string[]): RowPlan {
    const assign = (key: string) => `${columnName(key)} = ?`;
    const text = `update ${getTableName(table)} set ${columns.map(assign).join(", ")} where ${keys.map(assign).join(" and ")}`;
    return planOf(table, text, [...columns, ...keys]);
  }

  /** Adds to a column of the row of that number, where null counts as none. */
  function addition(table: PgTable, column: string): RowPlan {
    const name = columnName(column);
    const text = `update ${getTableName(table)} set ${name} = coalesce(${name}, 0) + ? where id = ?`;
    return planOf(table, text, [column, "id"]);
  }

  return {
    insertion,
    splitInsertion,
    change,
    addition,
    close() {
      for (const { statement } of plans.values()) statement.finalize();
    },
  };
}

/** The row's parameters, until the next row's. */
export function valuesOf({ parameters, values }: RowPlan, row: Row): Parameter[] {
  parameters.forEach(({ key, encode }, i) => {
    const value = row[key];
    values[i] = value === null || value === undefined ? null : encode(value);
  });
  return values;
}

/**
 * Drizzle's own encoding, without the detour where a value goes in as it is: a visit has fifty of them. It says `unknown`
 * of what it has encoded.
 */
function encoderOf(column: Column): (value: unknown) => Parameter {
  switch (column.dataType) {
    case "string":
    case "number":
      return (value) => value as Parameter;
    default:
      return (value) => column.mapToDriverValue(value) as Parameter;
  }
}
