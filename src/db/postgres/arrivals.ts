import { getTableName } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { columnName } from "../column-name.ts";
import { countEach } from "../count-each.ts";
import type { Arrivals } from "../database.ts";
import { isDuplicate } from "../fault.ts";
import { arrayOf, quoted, type Row, relationOf } from "./arrays.ts";
import { CHANNEL_PREFIX } from "./listener.ts";
import { type RunStatement, splitInsertion, unlessThere } from "./rows.ts";

type Give = (parameter: string) => string;

/** Arrivals of whatever tables. */
type AnyArrivals = Omit<Arrivals, "key"> & { readonly key: string };

/**
 * Writes arrivals by a transaction of their own. Nearly always all of them are new, and that is taken for granted: where
 * one is there already the database says so and has written nothing, and each of them is looked at.
 */
export async function recordArrivals(run: RunStatement, arrivals: AnyArrivals): Promise<void> {
  try {
    await write(run, arrivals, newArrivals);
  } catch (error) {
    if (!isDuplicate(error)) throw error;
    await insertArrivals(run, arrivals);
  }
}

/** Writes arrivals of which some may be there already. */
export function insertArrivals(run: RunStatement, arrivals: AnyArrivals): Promise<void> {
  return write(run, arrivals, possibleArrivals);
}

/** All of it as one statement, so that a batch costs one round trip. */
async function write(
  run: RunStatement,
  arrivals: AnyArrivals,
  partsOf: (arrivals: AnyArrivals, give: Give) => string[],
): Promise<void> {
  if (arrivals.rows.length === 0) return;
  const parameters: string[] = [];
  const parts = partsOf(arrivals, (text) => `$${parameters.push(text)}`);
  const wake = arrivals.wakes ? `pg_notify('${CHANNEL_PREFIX}${arrivals.wakes}', '')` : "1";
  await run(`with ${parts.join(", ")} select ${wake}`, parameters);
}

/**
 * The new rows, their followers, and the counters. Those come last, or Postgres would begin with them: each process would
 * keep all others from a pool's row for as long as it inserts, and wait crosswise for a replay of the same rows.
 */
function newArrivals({ table, rows, followers, counters }: AnyArrivals, give: Give): string[] {
  const parts = [`fresh as (${insertion(table, rows, give)} returning 1)`];
  const follower = followers.rows[0];
  const inserted = follower === undefined ? ["fresh"] : ["fresh", "heads"];
  const afterThem = inserted.map((part) => `(select count(*) from ${part}) >= 0`).join(" and ");
  if (follower !== undefined) {
    parts.push(`whole as (select * from ${relationOfFollowers(followers, give)})`);
    parts.push(...splitInsertion(followers.table, follower, ""));
  }
  counters.forEach((counter, i) => {
    const amounts = countEach(counter.ids);
    const [ids, counts] = [give(arrayOf([...amounts.keys()])), give(arrayOf([...amounts.values()]))];
    parts.push(
      `amounts${i} as (select unnest(${ids}::bigint[]) as id, unnest(${counts}::bigint[]) as n where ${afterThem})`,
      ...addition(counter, i),
    );
  });
  return parts;
}

/** The same of rows that go in; those that are there bring nothing. */
function possibleArrivals({ table, key, rows, followers, counters }: AnyArrivals, give: Give): string[] {
  const keyName = columnName(key);
  const parts = [
    `fresh as (${insertion(table, rows, give)} ${unlessThere([key])} returning ${keyName} as key)`,
  ];
  const follower = followers.rows[0];
  if (follower !== undefined) {
    const given = relationOfFollowers(followers, give);
    parts.push(`whole as (select * from ${given} where ${keyName} in (select key from fresh))`);
    parts.push(...splitInsertion(followers.table, follower, unlessThere(followers.table.key)));
  }
  const keys = rows.map((row: Row) => row[key]);
  counters.forEach((counter, i) => {
    const [given, ids] = [give(arrayOf(keys, quoted)), give(arrayOf(counter.ids))];
    parts.push(
      `counting${i} as (select unnest(${given}::text[]) as key, unnest(${ids}::bigint[]) as id)`,
      `amounts${i} as (select id, count(*) as n from counting${i} where key in (select key from fresh) group by id)`,
      ...addition(counter, i),
    );
  });
  return parts;
}

function insertion(table: PgTable, rows: readonly Row[], give: Give): string {
  const names = Object.keys(rows[0] ?? {})
    .map(columnName)
    .join(", ");
  return `insert into ${getTableName(table)} (${names}) select ${names} from ${relationOf([table], rows, give)}`;
}

function relationOfFollowers({ table, rows }: Arrivals["followers"], give: Give): string {
  return relationOf([table.head, table.tail], rows, give);
}

/** Adds the amounts; rows are locked in the order of their numbers, so that two processes never wait crosswise. */
function addition({ table, column }: Arrivals["counters"][number], i: number): string[] {
  const name = getTableName(table);
  const total = columnName(column);
  return [
    `locked${i} as (select id, n from ${name} join amounts${i} using (id) order by id for no key update of ${name})`,
    `counted${i} as (update ${name} set ${total} = coalesce(${total}, 0) + n from locked${i} where ${name}.id = locked${i}.id)`,
  ];
}
