import type { SQL } from "drizzle-orm";
import type { PgDatabase, PgTable } from "drizzle-orm/pg-core";
import type { PostgresJsQueryResultHKT } from "drizzle-orm/postgres-js";
import type { Tables } from "./define-schema.ts";
import type { Dialect } from "./dialect.ts";
import type { PlaceholderValues } from "./prepared-statement.ts";
import type { SplitRow, SplitTable } from "./split-table.ts";

/** Drizzle's query builder; SQLite's is held to the same type (see `sqlite/kit.ts`). */
export type QueryBuilder = PgDatabase<PostgresJsQueryResultHKT, Record<string, never>>;

/** A number in a row of a hand-written statement: Postgres' driver gives those of eight bytes as text. */
export type RawNumber = number | string;

/** Reading, on a connection of its own: never sees another request's uncommitted rows. */
export interface Reader extends Pick<QueryBuilder, "select" | "selectDistinct" | "$count"> {
  /** Rows of a hand-written statement; `T` says what its columns are. With `values` it is prepared. */
  rows<T>(statement: SQL, values?: PlaceholderValues): Promise<T[]>;
}

/** New rows, and what each of them brings along; a row whose unique key is there already brings nothing. */
export interface Arrivals<
  L extends PgTable = PgTable,
  H extends PgTable = PgTable,
  T extends PgTable = PgTable,
> {
  readonly table: L;
  /** The unique column; followers have one of the same name. */
  readonly key: keyof L["$inferInsert"] & keyof SplitRow<H, T> & string;
  /** Every row has the same columns. */
  readonly rows: readonly L["$inferInsert"][];
  /** At most one for each row, found by the key. */
  readonly followers: { readonly table: SplitTable<H, T>; readonly rows: readonly SplitRow<H, T>[] };
  /** Each row adds one to a counter: for every row, in order, the number of the counter's own row. */
  readonly counters: readonly {
    readonly table: PgTable;
    readonly column: string;
    readonly ids: readonly number[];
  }[];
  /** Whom to wake after the commit. */
  readonly wakes: Channel | null;
}

/** Writes arrivals all together: one transaction, and as few statements as the database allows. */
export interface ArrivalWriter {
  insertArrivals<L extends PgTable, H extends PgTable, T extends PgTable>(
    arrivals: Arrivals<L, H, T>,
  ): Promise<void>;
  /** The database's time, in Unix milliseconds: what falls due later is reckoned from it, never from this machine's. */
  nowMs(): number;
}

/** What work inside a transaction may do. Everything written here is committed together or not at all. */
export interface Tx extends Reader, ArrivalWriter, Pick<QueryBuilder, "insert" | "update" | "delete"> {
  /**
   * Inserts many rows in one go, leaving out those whose unique `key` is already there.
   * Every row must have the same columns. Answers, in order, whether each row was inserted.
   */
  insertMany<T extends PgTable>(
    table: T,
    key: readonly (keyof T["$inferInsert"] & string)[],
    rows: readonly T["$inferInsert"][],
  ): Promise<boolean[]>;
  /** The same with a table that lies in two. */
  insertSplit<H extends PgTable, T extends PgTable>(
    table: SplitTable<H, T>,
    rows: readonly SplitRow<H, T>[],
  ): Promise<boolean[]>;
  /**
   * Gives many rows new values in one go, each its own: a row is found by its `keys`, its other columns are set.
   * Every row must have the same columns.
   */
  updateMany<T extends PgTable>(
    table: T,
    keys: readonly (keyof T["$inferInsert"] & string)[],
    rows: readonly Partial<T["$inferInsert"]>[],
  ): Promise<void>;
  /** After the commit, wakes everyone who listens on the channel (on Postgres, in other processes too). */
  notify(channel: Channel): Promise<void>;
}

/**
 * `full`: what was committed is on the disk. `relaxed`: it survives the end of the process, but the last moments may be
 * lost with the machine's power (on Postgres, with the server's death). For what is done again then, such as leases and
 * what became of a request: Meta drops the copy by its `event_id`. Whatever is committed in full later carries it along.
 */
export type Durability = "full" | "relaxed";

export type Channel = "outbox" | "pools";

export interface Database extends Reader {
  readonly dialect: Dialect;
  readonly tables: Tables;
  /**
   * Runs `work` in one transaction, commits when it resolves and rolls back when it rejects.
   * On SQLite transactions take turns, so `work` must not wait for another transaction; a relaxed one lets others by.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>;
  /**
   * How many batches of arrivals are best under way at once: more than one where the next batch can be on its way while
   * the database commits the last.
   */
  readonly arrivalsAtOnce: number;
  /** A transaction that does nothing but write arrivals: cheaper where statements cost a round trip each. */
  recordArrivals(work: (writer: ArrivalWriter) => Promise<void>): Promise<void>;
  /**
   * Gives another thread of this process, which writes to the same database on a connection of its own, a turn among
   * those who write. `write` resolves to the channels whose listeners are to be woken. Null where the database works in
   * processes of its own, so that a thread that waits for it gains nothing.
   */
  readonly writeElsewhere: ((write: () => Promise<readonly Channel[]>) => Promise<void>) | null;
  /** Calls `wake` after commits that notified the channel. Returns how to stop. */
  listen(channel: Channel, wake: () => void): () => void;
  /**
   * Leaves the connections behind for new ones, for whoever waited in vain (see `withDatabaseDeadline`): they may have died without
   * a word. What still runs on them is given some seconds to end.
   */
  renewConnections(): void;
  /** What to do about an error of this database, for the log: a statement or a command; undefined where none helps. */
  advice(error: unknown): string | undefined;
  /** Applies the migrations and the operators' views. Safe to run again and from several processes. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}
