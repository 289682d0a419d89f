import { getTableName, type SQL } from "drizzle-orm";
import { PgDialect, type PgTable } from "drizzle-orm/pg-core";
import type { Sql, TransactionSql } from "postgres";
import { columnName } from "./column-name.ts";
import type { Arrivals } from "./database.ts";
import { arrayOf, namesOf, quoted, type Row, relationOf } from "./postgres-arrays.ts";
import { CHANNEL_PREFIX } from "./postgres-listener.ts";

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
  const names = namesOf(table, first);
  const given = relationOf(table, rows, (text) => `$${parameters.push(text)}`);
  const text = `insert into ${getTableName(table)} (${names}) select ${names} from ${given} on conflict do nothing returning ${uniqueName}`;
  const inserted = await connection.unsafe(text, parameters, { prepare });
  // As text: the driver gives a bigint back as text, whatever went in.
  const keys = new Set(inserted.map((row) => String(row[uniqueName])));
  return rows.map((row) => keys.delete(String((row as Row)[unique])));
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
    .map(columnName);
  const same = keys.map(columnName).map((key) => `${name}.${key} = given.${key}`);
  const condition = only && pgDialect.sqlToQuery(only);
  const parameters = [...(condition?.params ?? [])];
  const given = relationOf(table, rows, (text) => `$${parameters.push(text)}`);
  const text = `update ${name} set ${set.map((key) => `${key} = given.${key}`).join(", ")} from ${given}
    where ${same.join(" and ")}${condition ? ` and (${condition.sql})` : ""}`;
  await connection.unsafe(text, parameters as never[], { prepare });
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
  const keyName = columnName(key);
  const parameters: string[] = [];
  const give = (text: string) => `$${parameters.push(text)}`;
  const names = namesOf(table, first);
  const parts = [
    `fresh as (insert into ${getTableName(table)} (${names}) select ${names} from ${relationOf(table, rows, give)} on conflict do nothing returning ${keyName} as key)`,
  ];
  const follower = followers.rows[0];
  if (follower !== undefined) {
    const columns = namesOf(followers.table, follower);
    const given = relationOf(followers.table, followers.rows, give);
    parts.push(
      `followers as (insert into ${getTableName(followers.table)} (${columns}) select ${columns} from ${given} where ${keyName} in (select key from fresh) on conflict do nothing)`,
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
