import { getTableName } from "drizzle-orm";
import { PgDialect, type PgTable } from "drizzle-orm/pg-core";
import type { Sql, TransactionSql } from "postgres";
import { columnName } from "../column-name.ts";
import { divideKeys, type SplitRow, type SplitTable } from "../split-table.ts";
import { type Row, relationOf } from "./arrays.ts";

export const pgDialect = new PgDialect({ casing: "snake_case" });

/** Runs a hand-written statement and answers its rows. */
export type RunStatement = (text: string, parameters: string[]) => PromiseLike<readonly Row[]>;

/** @param prepare false behind a transaction pooler, where prepared statements have no connection to live on */
export function statementsOn(connection: Sql | TransactionSql, prepare: boolean): RunStatement {
  return (text, parameters) => connection.unsafe(text, parameters, { prepare });
}

/** As `Tx.insertMany`. */
export async function insertRows<T extends PgTable>(
  run: RunStatement,
  table: T,
  key: readonly string[],
  rows: readonly T["$inferInsert"][],
): Promise<boolean[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const names = Object.keys(first).map(columnName).join(", ");
  const parameters: string[] = [];
  const given = relationOf([table], rows, (text) => `$${parameters.push(text)}`);
  const text = `insert into ${getTableName(table)} (${names}) select ${names} from ${given} ${unlessThere(key)} returning ${key.map(columnName).join(", ")}`;
  return whichWentIn(rows, key, await run(text, parameters));
}

/** The same with a table that lies in two. Of several rows with one key the first counts. */
export async function insertSplit<H extends PgTable, T extends PgTable>(
  run: RunStatement,
  table: SplitTable<H, T>,
  rows: readonly SplitRow<H, T>[],
): Promise<boolean[]> {
  const firsts = new Map<string, SplitRow<H, T>>();
  for (const row of rows) {
    const key = valuesOf(row, table.key);
    if (!firsts.has(key)) firsts.set(key, row);
  }
  const distinct = [...firsts.values()];
  const first = distinct[0];
  if (first === undefined) return [];
  const parameters: string[] = [];
  const given = relationOf([table.head, table.tail], distinct, (text) => `$${parameters.push(text)}`);
  const parts = [
    `whole as (select * from ${given})`,
    ...splitInsertion(table, first, unlessThere(table.key)),
  ];
  const text = `with ${parts.join(", ")} select ${table.key.map(columnName).join(", ")} from heads`;
  return whichWentIn(rows, table.key, await run(text, parameters));
}

/** For each row whether it is among those that the statement gave back; of several with one key the first. */
function whichWentIn(rows: readonly Row[], key: readonly string[], inserted: readonly Row[]): boolean[] {
  const keys = new Set(inserted.map((row) => valuesOf(row, key.map(columnName))));
  return rows.map((row) => keys.delete(valuesOf(row, key)));
}

/** As text: the driver gives a bigint back as text, whatever went in. */
function valuesOf(row: Row, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => String(row[name])));
}

/**
 * Leaves out rows of which one with that key is there already. Of no other conflict: one of the numbers that the database
 * gives, which are behind where a copy came without its sequences, is an error, and loses nothing.
 */
export function unlessThere(key: readonly string[]): string {
  return `on conflict (${key.map(columnName).join(", ")}) do nothing`;
}

/**
 * Writes the rows of `whole`, a row like `first` each, into both tables; `heads` are those that went in.
 *
 * @param onConflict empty where none of them can be there: looking first costs as much as writing an index' entry
 */
export function splitInsertion(table: SplitTable, first: Row, onConflict: string): string[] {
  const keys = divideKeys(table, first);
  const list = (of: readonly string[]) => of.map(columnName).join(", ");
  const [head, tail, key] = [list(keys.head), list(keys.tail), list(table.key)];
  return [
    `heads as (insert into ${getTableName(table.head)} (${head}) select ${head} from whole ${onConflict} returning id, ${key})`,
    `tails as (insert into ${getTableName(table.tail)} (id, ${tail}) select id, ${tail} from heads join whole using (${key}))`,
  ];
}

/** As `Tx.updateMany`. */
export async function updateRows<T extends PgTable>(
  run: RunStatement,
  table: T,
  keys: readonly string[],
  rows: readonly Partial<T["$inferInsert"]>[],
): Promise<void> {
  const first = rows[0];
  if (first === undefined) return;
  const name = getTableName(table);
  const set = Object.keys(first)
    .filter((key) => !keys.includes(key))
    .map(columnName);
  const same = keys.map(columnName).map((key) => `${name}.${key} = given.${key}`);
  const parameters: string[] = [];
  const given = relationOf([table], rows, (text) => `$${parameters.push(text)}`);
  const text = `update ${name} set ${set.map((key) => `${key} = given.${key}`).join(", ")} from ${given}
    where ${same.join(" and ")}`;
  await run(text, parameters);
}
