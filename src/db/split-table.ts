import { getTableColumns, getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";

/** A table that lies in two, row by row under one `id`: what stays as it was written, and what is rewritten often. */
export interface SplitTable<H extends PgTable = PgTable, T extends PgTable = PgTable> {
  /** Gives the row its number. */
  readonly head: H;
  /** Takes the number over. */
  readonly tail: T;
  /** The columns of the head's unique key. */
  readonly key: readonly string[];
}

/** A row of both; which of them has a column is known by its name. */
export type SplitRow<H extends PgTable, T extends PgTable> = Omit<
  H["$inferInsert"] & T["$inferInsert"],
  "id"
>;

/** Which of a row's keys are columns of which table; some are of both. @throws Error where one is of neither */
export function divideKeys({ head, tail }: SplitTable, row: Readonly<Record<string, unknown>>) {
  const isIn = (table: PgTable) => {
    const columns = getTableColumns(table);
    return (key: string) => key in columns;
  };
  const keys = Object.keys(row);
  const divided = { head: keys.filter(isIn(head)), tail: keys.filter(isIn(tail)) };
  const stranger = keys.find((key) => !divided.head.includes(key) && !divided.tail.includes(key));
  if (stranger !== undefined) {
    throw new Error(`neither ${getTableName(head)} nor ${getTableName(tail)} has a column for "${stranger}"`);
  }
  return divided;
}
