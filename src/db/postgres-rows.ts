import { getTableName } from "drizzle-orm";
import { PgDialect, type PgTable } from "drizzle-orm/pg-core";
import type { Sql, TransactionSql } from "postgres";
import { columnName } from "./column-name.ts";
import type { Arrivals } from "./database.ts";
import { arrayOf, quoted, type Row, relationOf } from "./postgres-arrays.ts";
import { CHANNEL_PREFIX } from "./postgres-listener.ts";
import { divideKeys, type SplitRow, type SplitTable } from "./split-table.ts";

export const pgDialect = new PgDialect({ casing: "snake_case" });

export async function insertRows<T extends PgTable>(
  connection: TransactionSql,
  prepare: boolean,
  table: T,
  unique: string,
  rows: readonly T["$inferInsert"][],
): Promise<boolean[]> {
  const first = rows[0];
  if (first === undefined) return [];
  const uniqueName = columnName(unique);
  const parameters: string[] = [];
  const names = Object.keys(first).map(columnName).join(", ");
  const given = relationOf([table], rows, (text) => `$${parameters.push(text)}`);
  const text = `insert into ${getTableName(table)} (${names}) select ${names} from ${given} on conflict do nothing returning ${uniqueName}`;
  const inserted = await connection.unsafe(text, parameters, { prepare });
  // As text: the driver gives a bigint back as text, whatever went in.
  const keys = new Set(inserted.map((row) => String(row[uniqueName])));
  return rows.map((row) => keys.delete(String((row as Row)[unique])));
}

/** The same with a table that lies in two. Of rows that are one event the first counts. */
export async function insertSplit<H extends PgTable, T extends PgTable>(
  connection: TransactionSql,
  prepare: boolean,
  table: SplitTable<H, T>,
  rows: readonly SplitRow<H, T>[],
): Promise<boolean[]> {
  const keyOf = (row: Row, names: readonly string[]) =>
    JSON.stringify(names.map((name) => String(row[name])));
  const firsts = new Map<string, SplitRow<H, T>>();
  for (const row of rows) {
    const key = keyOf(row, table.key);
    if (!firsts.has(key)) firsts.set(key, row);
  }
  const distinct = [...firsts.values()];
  const first = distinct[0];
  if (first === undefined) return [];
  const parameters: string[] = [];
  const given = relationOf([table.head, table.tail], distinct, (text) => `$${parameters.push(text)}`);
  const parts = [`whole as (select * from ${given})`, ...partsOf(table, first)];
  const names = table.key.map(columnName);
  const text = `with ${parts.join(", ")} select ${names.join(", ")} from heads`;
  const inserted = await connection.unsafe(text, parameters, { prepare });
  const keys = new Set(inserted.map((row) => keyOf(row, names)));
  return rows.map((row) => keys.delete(keyOf(row, table.key)));
}

/** Writes the rows of `whole` into both tables; `heads` are those that went in. */
function partsOf(table: SplitTable, first: Row): string[] {
  const keys = divideKeys(table, first);
  const list = (of: readonly string[]) => of.map(columnName).join(", ");
  const [head, tail, key] = [list(keys.head), list(keys.tail), list(table.key)];
  return [
    `heads as (insert into ${getTableName(table.head)} (${head}) select ${head} from whole on conflict do nothing returning id, ${key})`,
    `tails as (insert into ${getTableName(table.tail)} (id, ${tail}) select id, ${tail} from heads join whole using (${key}) on conflict do nothing)`,
  ];
}

export async function updateRows<T extends PgTable>(
  connection: TransactionSql,
  prepare: boolean,
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
  await connection.unsafe(text, parameters, { prepare });
}

/**
 * All of it as one statement, so that a batch costs one round trip: the new rows, the followers of those that went in,
 * and the counters, whose rows are locked in the order of their numbers so that two processes never wait crosswise.
 */
export async function insertArrivals<L extends PgTable, H extends PgTable, T extends PgTable>(
  connection: Sql | TransactionSql,
  prepare: boolean,
  { table, key, rows, followers, counters, wakes }: Arrivals<L, H, T>,
): Promise<void> {
  const first = rows[0];
  if (first === undefined) return;
  const keyName = columnName(key);
  const parameters: string[] = [];
  const give = (text: string) => `$${parameters.push(text)}`;
  const names = Object.keys(first).map(columnName).join(", ");
  const parts = [
    `fresh as (insert into ${getTableName(table)} (${names}) select ${names} from ${relationOf([table], rows, give)} on conflict do nothing returning ${keyName} as key)`,
  ];
  const follower = followers.rows[0];
  if (follower !== undefined) {
    const { head, tail } = followers.table;
    const given = relationOf([head, tail], followers.rows, give);
    parts.push(
      `whole as (select * from ${given} where ${keyName} in (select key from fresh))`,
      ...partsOf(followers.table, follower),
    );
  }
  if (counters.length > 0) {
    const keys = rows.map((row: Row) => row[key]);
    const arrays = [
      `unnest(${give(arrayOf(keys, quoted))}::text[]) as key`,
      ...counters.map(({ ids }, i) => `unnest(${give(arrayOf(ids))}::bigint[]) as id${i}`),
    ];
    parts.push(
      `counting as (select * from (select ${arrays.join(", ")}) as given where key in (select key from fresh))`,
    );
  }
  counters.forEach(({ table: counter, column }, i) => {
    const name = getTableName(counter);
    const total = columnName(column);
    parts.push(
      `amounts${i} as (select id${i} as id, count(*) as n from counting group by id${i})`,
      `locked${i} as (select id, n from ${name} join amounts${i} using (id) order by id for no key update of ${name})`,
      `counted${i} as (update ${name} set ${total} = coalesce(${total}, 0) + n from locked${i} where ${name}.id = locked${i}.id)`,
    );
  });
  const wake = wakes ? `pg_notify('${CHANNEL_PREFIX}${wakes}', '')` : "1";
  await connection.unsafe(`with ${parts.join(", ")} select ${wake}`, parameters, { prepare });
}
