import { getTableColumns, getTableName, type SQL, sql } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import { PgDialect, type PgTable } from "drizzle-orm/pg-core";
import type { Sql, TransactionSql } from "postgres";
import type { Arrivals } from "./database.ts";
import { CHANNEL_PREFIX } from "./postgres-listener.ts";

export const pgDialect = new PgDialect({ casing: "snake_case" });

type Row = Readonly<Record<string, unknown>>;

/** One statement and one parameter, however many rows: Postgres unpacks them from JSON by the table's own types. */
export async function insertRows<T extends PgTable>(
  connection: TransactionSql,
  prepare: boolean,
  table: T,
  unique: string,
  rows: readonly T["$inferInsert"][],
): Promise<boolean[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const uniqueName = toSnakeCase(unique);
  const text = `insert into ${getTableName(table)} (${namesOf(first)}) select ${namesOf(first)} from ${recordsOf(table, "$1")} on conflict do nothing returning ${uniqueName}`;
  const inserted = await connection.unsafe(text, [rowsAsJson(table, rows)], { prepare });
  // As text: the driver gives a bigint back as text, whatever went in.
  const keys = new Set(inserted.map((row) => String(row[uniqueName])));
  return rows.map((row) => keys.delete(String((row as Record<string, unknown>)[unique])));
}

export async function updateRows<T extends PgTable>(
  connection: TransactionSql,
  prepare: boolean,
  table: T,
  keys: readonly string[],
  rows: readonly Partial<T["$inferInsert"]>[],
  only: SQL | undefined,
): Promise<void> {
  const first = rows[0];
  if (first === undefined) return;
  const name = getTableName(table);
  const set = Object.keys(first)
    .filter((key) => !keys.includes(key))
    .map(toSnakeCase);
  const same = keys.map(toSnakeCase).map((key) => `${name}.${key} = given.${key}`);
  const statement = sql`update ${sql.raw(name)} set ${sql.raw(set.map((key) => `${key} = given.${key}`).join(", "))}
    from json_populate_recordset(null::${sql.raw(name)}, ${rowsAsJson(table, rows)}::text::json) given
    where ${sql.raw(same.join(" and "))}${only ? sql` and (${only})` : sql``}`;
  const { sql: text, params } = pgDialect.sqlToQuery(statement);
  await connection.unsafe(text, params as never[], { prepare });
}

/**
 * All of it as one statement, so that a batch costs one round trip: the new rows, the followers of those that went in,
 * and the counters, whose rows are locked in the order of their numbers so that two processes never wait crosswise.
 */
export async function insertArrivals<L extends PgTable, F extends PgTable>(
  connection: Sql | TransactionSql,
  prepare: boolean,
  { table, key, rows, followers, counters, wakes }: Arrivals<L, F>,
): Promise<void> {
  const first = rows[0];
  if (first === undefined) return;
  const keyName = toSnakeCase(key);
  const parameters = [rowsAsJson(table, rows)];
  const given = (text: string) => `$${parameters.push(text)}`;
  const parts = [
    `fresh as (insert into ${getTableName(table)} (${namesOf(first)}) select ${namesOf(first)} from ${recordsOf(table, "$1")} on conflict do nothing returning ${keyName} as key)`,
  ];
  const follower = followers.rows[0];
  if (follower !== undefined) {
    const records = recordsOf(followers.table, given(rowsAsJson(followers.table, followers.rows)));
    parts.push(
      `followers as (insert into ${getTableName(followers.table)} (${namesOf(follower)}) select ${namesOf(follower)} from ${records} where ${keyName} in (select key from fresh) on conflict do nothing)`,
    );
  }
  counters.forEach(({ table: counter, column, ids }, i) => {
    const name = getTableName(counter);
    const total = toSnakeCase(column);
    const pairs = given(JSON.stringify(rows.map((row, n) => ({ key: cell(row, key), id: ids[n] }))));
    parts.push(
      `amounts${i} as (select id, count(*) as n from json_to_recordset(${pairs}::text::json) as pair(key text, id bigint) where key in (select key from fresh) group by id)`,
      `locked${i} as (select id, n from ${name} join amounts${i} using (id) order by id for no key update of ${name})`,
      `counted${i} as (update ${name} set ${total} = coalesce(${total}, 0) + n from locked${i} where ${name}.id = locked${i}.id)`,
    );
  });
  const wake = wakes ? `pg_notify('${CHANNEL_PREFIX}${wakes}', '')` : "1";
  await connection.unsafe(`with ${parts.join(", ")} select ${wake}`, parameters, { prepare });
}

function namesOf(row: Row): string {
  return Object.keys(row).map(toSnakeCase).join(", ");
}

function recordsOf(table: PgTable, parameter: string): string {
  return `json_populate_recordset(null::${getTableName(table)}, ${parameter}::text::json)`;
}

function cell(row: Row, key: string): unknown {
  return row[key];
}

/** Rows as one JSON text, under the columns' names; every row has the first one's keys. */
function rowsAsJson<T extends PgTable>(table: T, rows: readonly Partial<T["$inferInsert"]>[]): string {
  const columns = getTableColumns(table);
  const names = Object.keys(rows[0] ?? {}).map((key) => {
    if (columns[key] === undefined) throw new Error(`${getTableName(table)} has no column for "${key}"`);
    return { key, name: toSnakeCase(key) };
  });
  const encoded = rows.map((row) => {
    const values: Record<string, unknown> = row;
    return `{${names.map(({ key, name }) => `"${name}":${JSON.stringify(values[key] ?? null)}`).join(",")}}`;
  });
  return `[${encoded.join(",")}]`;
}
