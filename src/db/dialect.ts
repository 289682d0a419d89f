import { type Placeholder, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn, PgColumn, PgTable } from "drizzle-orm/pg-core";
import { arrayOf, quoted } from "./postgres/arrays.ts";

/** The few fragments in which the two databases differ. No feature asks which database it is on. */
export interface Dialect {
  /** For whoever picks migrations, or tells an operator of the database itself. */
  readonly name: "sqlite" | "postgres";
  /** The database's own clock: leases and due times never depend on a web process's. */
  readonly now: SQL;
  /** An instant `ms` milliseconds after another (before it where negative). */
  plusMs(instant: SQL, ms: number | SQL | Placeholder): SQL;
  /** An instant column as Unix milliseconds. */
  epochMs(instant: SQL): SQL<number>;
  /** A JavaScript date as an instant of this database. */
  instant(date: Date): SQL;
  /** Locks the selected rows and passes over those that another dispatcher holds; SQLite has one writer anyway. */
  readonly skipLocked: SQL;
  /**
   * Locks the rows that a builder's select finds, of one of its tables where `of` says so, until the transaction ends;
   * SQLite's one writer has them locked already.
   */
  locked<Q extends { for(strength: "update", config?: { of: PgTable }): unknown }>(
    select: Q,
    of?: PgTable,
  ): Q;
  /** Locks such rows `for share`: they stay as they are until the transaction ends. Any number may lock them at once. */
  shared<Q extends { for(strength: "share"): unknown }>(select: Q): Q;
  /** Locks such rows `for key share`: nobody removes them until the transaction ends. Any number may lock them at once. */
  keyShared<Q extends { for(strength: "key share"): unknown }>(select: Q): Q;
  /**
   * Selected of a pool's number: from then on, until the transaction ends, it is `shared` with others who write of the
   * pool, or held `alone` by who changes or removes it. Not a lock on the row: visits count in that, and Postgres lets two
   * who lock and then update a row that a third one keeps wait for each other.
   */
  poolLock(how: "shared" | "alone", id: AnyPgColumn): SQL;
  /** The same as `locked` at the end of a hand-written select, for the rows of one of its tables. */
  lockedOf(table: SQL): SQL;
  /** A stored JSON document as the text it was written as. */
  jsonText(column: SQL): SQL<string>;
  /** `id in (…)` over a list that is sent as one parameter, however long. */
  anyId(column: SQL, list: string | Placeholder): SQL;
  /** The same over texts. */
  anyText(column: SQL, list: string | Placeholder): SQL;
  /** `id in (select …)`: the select is answered first, whatever the planner believes of the tables. */
  idAmong(column: SQL, select: SQL): SQL;
  /** The list for `anyId`. */
  idList(ids: readonly number[]): string;
  /** The list for `anyText`. */
  textList(texts: readonly string[]): string;
  /** A text as far as the first such mark in it; the whole text where there is none. */
  upTo(text: SQL, mark: SQL): SQL;
  /** A text parameter as a JSON document. */
  jsonOf(text: string | Placeholder): SQL;
}

/** Whether the row of that number is one of these, however many. */
export function isOneOf(
  { dialect }: { readonly dialect: Dialect },
  id: PgColumn,
  ids: readonly number[],
): SQL {
  return dialect.anyId(sql`${id}`, dialect.idList(ids));
}

export const sqliteDialect: Dialect = {
  name: "sqlite",
  now: sql`cast(unixepoch('subsec') * 1000 as integer)`,
  plusMs: (instant, ms) => sql`(${instant} + ${ms})`,
  epochMs: (instant) => sql`${instant}`,
  instant: (date) => sql`${date.getTime()}`,
  skipLocked: sql``,
  locked: (select) => select,
  shared: (select) => select,
  keyShared: (select) => select,
  poolLock: () => sql`null`,
  lockedOf: () => sql``,
  jsonText: (column) => sql`${column}`,
  anyId: (column, list) => sql`${column} in (select value from json_each(${list}))`,
  anyText: (column, list) => sql`${column} in (select value from json_each(${list}))`,
  idAmong: (column, select) => sql`${column} in (${select})`,
  idList: (ids) => JSON.stringify(ids),
  textList: (texts) => JSON.stringify(texts),
  upTo: (text, mark) => sql`substr(${text}, 1, instr(${text} || ${mark}, ${mark}) - 1)`,
  jsonOf: (text) => sql`${text}`,
};

/** "pool": the first of the two numbers of an advisory lock. */
const POOL_LOCKS = sql.raw("1886351212");

export const postgresDialect: Dialect = {
  name: "postgres",
  // Fixed for one statement, so that indexes can be searched with it; not now(), which an old transaction keeps. Of whole
  // milliseconds, as columns are: they would round it up, and what is due now would not be for half a millisecond.
  now: sql`date_trunc('milliseconds', statement_timestamp())`,
  plusMs: (instant, ms) => sql`(${instant} + ${ms} * interval '1 millisecond')`,
  epochMs: (instant) => sql`(extract(epoch from ${instant}) * 1000)::float8`,
  instant: (date) => sql`${date.toISOString()}::timestamptz`,
  skipLocked: sql`for update skip locked`,
  locked: (select, of) => {
    select.for("update", of && { of });
    return select;
  },
  shared: (select) => {
    select.for("share");
    return select;
  },
  keyShared: (select) => {
    select.for("key share");
    return select;
  },
  poolLock: (how, id) =>
    how === "shared"
      ? sql`pg_advisory_xact_lock_shared(${POOL_LOCKS}, ${id}::int)`
      : sql`pg_advisory_xact_lock(${POOL_LOCKS}, ${id}::int)`,
  lockedOf: (table) => sql`for update of ${table}`,
  jsonText: (column) => sql`${column}::text`,
  anyId: (column, list) => sql`${column} = any(${list}::bigint[])`,
  anyText: (column, list) => sql`${column} = any(${list}::text[])`,
  idAmong: (column, select) => sql`${column} = any(array(${select}))`,
  idList: (ids) => arrayOf(ids),
  textList: (texts) => arrayOf(texts, quoted),
  upTo: (text, mark) => sql`split_part(${text}, ${mark}, 1)`,
  jsonOf: (text) => sql`${text}::text::json`,
};
