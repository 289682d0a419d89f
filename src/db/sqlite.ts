import { Database as SqliteClient, type Statement } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Column, getTableColumns, getTableName, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { toSnakeCase } from "drizzle-orm/casing";
import type { PgTable } from "drizzle-orm/pg-core";
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { localClock } from "./clock.ts";
import type { Channel, Database, QueryBuilder, Reader, Tx } from "./database.ts";
import { sqliteDialect } from "./dialect.ts";
import { adviceOn } from "./fault.ts";
import { createListeners } from "./listeners.ts";
import { migrateSqlite } from "./migrate.ts";
import * as tables from "./tables-sqlite.ts";
import { takeTurns } from "./turns.ts";

/** How long a write waits for another process (the CLI, a backup) that holds the file's write lock. */
const BUSY_DEADLINE_MS = 5_000;

const sqlDialect = new SQLiteSyncDialect({ casing: "snake_case" });

type Parameter = string | number | bigint | boolean | Uint8Array | null;

/**
 * Opens (and creates) a SQLite file: WAL, `synchronous=FULL` (what is acknowledged is on disk), one writer
 * connection whose transactions take turns, and one reader connection.
 */
export function openSqlite(path: string): Database {
  mkdirSync(dirname(path), { recursive: true });
  const writer = new SqliteClient(path, { create: true, strict: true });
  writer.run("pragma journal_mode = wal");
  writer.run("pragma synchronous = full");
  writer.run("pragma foreign_keys = on");
  // What is overwritten or deleted is zeroed in its page, where that costs no further write: erased is erased.
  writer.run("pragma secure_delete = fast");
  // Waiting inside SQLite would block every request of this process; `beginImmediate` waits outside.
  writer.run("pragma busy_timeout = 0");
  const readerClient = new SqliteClient(path, { strict: true });
  readerClient.run("pragma query_only = on");
  readerClient.run("pragma busy_timeout = 1000");

  const listeners = createListeners();
  const inTurn = takeTurns();
  const woken = new Set<Channel>();
  const plans = new Map<string, RowPlan>();
  const writing = queries(writer);

  const tx: Tx = {
    ...writing.reader,
    insert: writing.builder.insert.bind(writing.builder),
    update: writing.builder.update.bind(writing.builder),
    delete: writing.builder.delete.bind(writing.builder),
    insertMany: async (table, _unique, rows) => insertRows(writer, plans, table, rows),
    updateMany: async (table, keys, rows, only) => updateRows(writer, plans, table, keys, rows, only),
    notify: async (channel) => {
      woken.add(channel);
    },
    nowMs: localClock.nowMs,
  };

  async function transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return inTurn(async () => {
      await beginImmediate(writer);
      woken.clear();
      let result: T;
      try {
        result = await work(tx);
        writer.run("commit");
      } catch (error) {
        if (writer.inTransaction) writer.run("rollback");
        throw error;
      }
      for (const channel of woken) listeners.wake(channel);
      return result;
    });
  }

  return {
    ...queries(readerClient).reader,
    dialect: sqliteDialect,
    tables,
    transaction,
    async writeElsewhere(write, channels) {
      await inTurn(write);
      for (const channel of channels) listeners.wake(channel);
    },
    listen: listeners.add,
    // There is no network in between that could lose an answer.
    renewConnections: () => undefined,
    advice: (error) => adviceOn(error, { user: "", tables }),
    migrate: () => inTurn(async () => migrateSqlite(writer)),
    close: () =>
      inTurn(async () => {
        for (const { statement } of plans.values()) statement.finalize();
        readerClient.close();
        // Truncating the log leaves one tidy file behind; it fails harmlessly where another process reads.
        writer.run("pragma wal_checkpoint(truncate)");
        writer.close();
      }),
  };
}

function queries(client: SqliteClient): { builder: QueryBuilder; reader: Reader } {
  const sqliteBuilder = drizzle({ client, casing: "snake_case" });
  // The builder's half of the cast in `kit-sqlite.ts`: the methods we use are the same on both dialects.
  const builder = sqliteBuilder as unknown as QueryBuilder;
  return {
    builder,
    reader: {
      select: builder.select.bind(builder),
      selectDistinct: builder.selectDistinct.bind(builder),
      $count: builder.$count.bind(builder),
      rows: async <T>(statement: SQL) => {
        const { sql, params } = sqlDialect.sqlToQuery(statement);
        return client.query<T, Parameter[]>(sql).all(...(params as Parameter[]));
      },
    },
  };
}

/** `begin immediate`, waiting without blocking the process while somebody else writes. */
async function beginImmediate(client: SqliteClient): Promise<void> {
  const deadline = performance.now() + BUSY_DEADLINE_MS;
  for (;;) {
    try {
      client.run("begin immediate");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      await Bun.sleep(2 + Math.random() * 10);
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}

/** How rows of one shape are written: a statement, and for each parameter its key and encoding. */
interface RowPlan {
  readonly statement: Statement;
  readonly parameters: readonly { readonly key: string; readonly encode: (value: unknown) => Parameter }[];
  /** What follows the rows' own parameters, the same for all of them. */
  readonly constants: readonly Parameter[];
}

/** One prepared statement, run once a row: measured as fast as any multi-row form, and it says which rows went in. */
function insertRows<T extends PgTable>(
  client: SqliteClient,
  plans: Map<string, RowPlan>,
  table: T,
  rows: readonly T["$inferInsert"][],
): boolean[] {
  const first = rows[0];
  if (first === undefined) return [];
  const keys = Object.keys(first);
  const names = keys.map(toSnakeCase).join(", ");
  const text = `insert into ${getTableName(table)} (${names}) values (${keys.map(() => "?").join(", ")}) on conflict do nothing`;
  return runRows(planOf(client, plans, table, text, keys, []), rows);
}

function updateRows<T extends PgTable>(
  client: SqliteClient,
  plans: Map<string, RowPlan>,
  table: T,
  keys: readonly string[],
  rows: readonly Partial<T["$inferInsert"]>[],
  only: SQL | undefined,
): void {
  const first = rows[0];
  if (first === undefined) return;
  const set = Object.keys(first).filter((key) => !keys.includes(key));
  const assign = (key: string) => `${toSnakeCase(key)} = ?`;
  const condition = only && sqlDialect.sqlToQuery(only);
  const text = `update ${getTableName(table)} set ${set.map(assign).join(", ")} where ${keys.map(assign).join(" and ")}${condition ? ` and (${condition.sql})` : ""}`;
  const constants = (condition?.params ?? []) as Parameter[];
  runRows(planOf(client, plans, table, text, [...set, ...keys], constants), rows);
}

/** Runs the plan for each row; answers whether it changed anything. */
function runRows(
  { statement, parameters, constants }: RowPlan,
  rows: readonly Readonly<Record<string, unknown>>[],
): boolean[] {
  const values: Parameter[] = new Array(parameters.length).concat(constants);
  return rows.map((given) => {
    for (let i = 0; i < parameters.length; i++) {
      const parameter = parameters[i];
      const value = parameter && given[parameter.key];
      values[i] = value === null || value === undefined || !parameter ? null : parameter.encode(value);
    }
    return statement.run(...values).changes > 0;
  });
}

function planOf(
  client: SqliteClient,
  plans: Map<string, RowPlan>,
  table: PgTable,
  text: string,
  keys: readonly string[],
  constants: readonly Parameter[],
): RowPlan {
  const known = plans.get(text);
  if (known) return known;
  const columns = getTableColumns(table);
  const parameters = keys.map((key) => {
    const column = columns[key];
    if (column === undefined) throw new Error(`${getTableName(table)} has no column for "${key}"`);
    return { key, encode: encoderOf(column) };
  });
  const plan = { statement: client.prepare(text), parameters, constants };
  plans.set(text, plan);
  return plan;
}

/** Drizzle's own encoding, without the detour where a value goes in as it is: a visit has fifty of them. */
function encoderOf(column: Column): (value: unknown) => Parameter {
  switch (column.dataType) {
    case "string":
    case "number":
      return (value) => value as Parameter;
    default:
      return (value) => column.mapToDriverValue(value) as Parameter;
  }
}
