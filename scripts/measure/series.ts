import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";

/** Visits of a past that the database makes up by itself, one every `stepMs` milliseconds from `startMs` on. */
interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly startMs: number;
  readonly stepMs: number;
}

/** Numbers from `first` to `last` as rows `n`, with the time `at` and the token of each, which begins with its time. */
export function series({ dialect }: Database, { first, last, startMs, stepMs }: Stretch): SQL {
  const ms = sql.raw(`(${startMs} + cast(n * ${stepMs} as bigint))`);
  return dialect.name === "postgres"
    ? sql`(select n, to_timestamp(${ms} / 1000.0) as at,
          lpad(to_hex(${ms}), 12, '0') || '7' || substr(md5(n::text), 1, 19) as token
        from (select n::bigint as n from generate_series(${sql.raw(String(first))}, ${sql.raw(String(last))}) n) numbers) s`
    : sql`(with recursive numbers(n) as (select ${first} union all select n + 1 from numbers where n < ${last})
        select n, ${ms} as at, printf('%012x', ${ms}) || '7' || printf('%08x%011x', n * 2654435761 & 4294967295, n) as token
        from numbers) s`;
}

/** A value as text, on both databases. */
export const text = (value: SQL) => sql`cast(${value} as text)`;

/** JSON text as the database's own type. */
export function json({ dialect }: Database, value: string): SQL {
  return dialect.name === "postgres" ? sql.raw(`'${value}'::json`) : sql.raw(`'${value}'`);
}
