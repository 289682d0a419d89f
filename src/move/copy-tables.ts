import { eq, getTableColumns, getTableName, gt, ne, sql } from "drizzle-orm";
import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import type { Database, RawNumber, Reader, Tx } from "../db/database.ts";
import { type Tables, tablesOf } from "../db/define-schema.ts";
import { VIEWS_KEY } from "../db/migration-plan.ts";
import { ENVIRONMENT } from "../db/vocabulary.ts";

/** Rows that are read and written at a time. */
const PIECE = 1_000;

/** Where rows are copied from: a SQLite database whose tables stand as ours do. */
interface Source extends Pick<Reader, "select" | "rows"> {
  readonly tables: Tables;
}

/** How far a copy is. */
export interface CopyProgress {
  readonly table: string;
  readonly copied: number;
  readonly total: number;
}

/**
 * Copies every row into a Postgres that has none, under the same numbers; what is written later gets numbers that the source
 * never gave. Signs of life stay behind, and what a first start writes is taken over from the source.
 *
 * @returns how many rows each table has, by its name
 * @throws Error, which says where, about a row that Postgres does not take
 */
export async function copyTables(
  source: Source,
  tx: Tx,
  into: Tables,
  onProgress: (progress: CopyProgress) => void,
): Promise<Record<string, number>> {
  await tx.delete(into.settings).where(ne(into.settings.key, VIEWS_KEY));
  await tx.delete(into.operatorSessions);
  await tx.delete(into.auditLog).where(eq(into.auditLog.actor, ENVIRONMENT));
  const copied: Record<string, number> = {};
  for (const { from, to } of numberedTables(source.tables, into)) {
    const table = getTableName(to);
    copied[table] = await copyRows(source, tx, { from, to }, onProgress);
    await goOnNumbering(source, tx, table);
    // Its own statistics come minutes later, and plans made without them read whole tables. One by one: a statement has a
    // minute, and other programs' tables are none of ours.
    await tx.rows(sql`analyze ${to}`);
  }
  copied[getTableName(into.settings)] = await copySettings(source, tx, into);
  return copied;
}

/** Whether its user may say at which number a table goes on: to write rows is not enough. */
export async function maySetNumbers(db: Database): Promise<boolean> {
  const sequence = sql`pg_get_serial_sequence(${getTableName(db.tables.pools)}, 'id')`;
  const [row] = await db.rows<{ may: boolean | null }>(
    sql`select has_sequence_privilege(${sequence}, 'update') as may`,
  );
  return row?.may !== false;
}

/** The first table that has rows, whatever a start alone has written aside; null where there is none. */
export async function firstFilled(db: Database): Promise<string | null> {
  const { settings, dispatchers, operatorSessions, auditLog } = db.tables;
  const ofAStart: readonly PgTable[] = [settings, dispatchers, operatorSessions];
  const byOperators = sql`where ${ne(auditLog.actor, ENVIRONMENT)}`;
  for (const table of tablesOf(db.tables).filter((known) => !ofAStart.includes(known))) {
    const those = table === auditLog ? byOperators : sql``;
    const found = await db.rows(sql`select 1 as one from ${table} ${those} limit 1`);
    if (found.length > 0) return getTableName(table);
  }
  return null;
}

/** A table whose rows are told apart by an `id`. */
type NumberedTable = PgTable & { readonly $inferInsert: { readonly id?: unknown } };

interface Pair {
  readonly from: PgTable;
  readonly to: NumberedTable;
}

/** What has an `id` and is to be copied; those first that refer to no other. */
function numberedTables(source: Tables, into: Tables): Pair[] {
  const from = new Map(tablesOf(source).map((table) => [getTableName(table), table]));
  return tablesOf(into)
    .filter(isNumbered)
    .filter((to) => to !== into.dispatchers)
    .sort((a, b) => referencesOf(a) - referencesOf(b))
    .flatMap((to) => {
      const same = from.get(getTableName(to));
      return same === undefined ? [] : [{ from: same, to }];
    });
}

function referencesOf(table: PgTable): number {
  return getTableConfig(table).foreignKeys.length;
}

function isNumbered(table: PgTable): table is NumberedTable {
  return getTableColumns(table).id !== undefined;
}

async function copyRows(
  source: Source,
  tx: Tx,
  { from, to }: Pair,
  onProgress: (progress: CopyProgress) => void,
): Promise<number> {
  const table = getTableName(to);
  const { id } = getTableColumns(from);
  if (id === undefined) throw new Error(`${table} has no id to be copied by`);
  const [counted] = await source.rows<{ n: RawNumber }>(sql`select count(*) as n from ${from}`);
  const total = Number(counted?.n);
  let last: unknown;
  let copied = 0;
  for (;;) {
    onProgress({ table, copied, total });
    const rows = await source
      .select()
      .from(from)
      .where(last === undefined ? undefined : gt(id, last))
      .orderBy(id)
      .limit(PIECE);
    if (rows.length === 0) return copied;
    await insertAll(tx, to, rows);
    copied += rows.length;
    last = rows.at(-1)?.id;
  }
}

async function insertAll(
  tx: Tx,
  table: NumberedTable,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  const ids = `${rows[0]?.id} to ${rows.at(-1)?.id}`;
  try {
    const inserted = await tx.insertMany(table, ["id"], rows);
    if (!inserted.every(Boolean)) throw new Error("one of them is there already");
  } catch (cause) {
    throw new Error(`${getTableName(table)}: its rows ${ids} could not be copied`, { cause });
  }
}

/** SQLite never gives a number twice, even one whose row is gone; Postgres goes on after it. */
async function goOnNumbering(source: Source, tx: Tx, table: string): Promise<void> {
  const [given] = await source.rows<{ seq: number }>(
    sql`select seq from sqlite_sequence where name = ${table}`,
  );
  if (given === undefined || given.seq === 0) return;
  await tx.rows(sql`select setval(pg_get_serial_sequence(${table}, 'id'), ${given.seq})`);
}

async function copySettings(source: Source, tx: Tx, into: Tables): Promise<number> {
  const { settings } = source.tables;
  const rows = await source.select().from(settings).where(ne(settings.key, VIEWS_KEY));
  if (rows.length > 0) await tx.insert(into.settings).values(rows);
  return rows.length;
}
