import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { HOUR_MS } from "../platform/durations.ts";

/** The beginning of the minute, hour … that an instant lies in. Both in Unix milliseconds. */
export function bucketStart(atMs: number, widthMs: number): number {
  return Math.floor(atMs / widthMs) * widthMs;
}

/** The number of the minute, hour … that a column's instant lies in. */
export function bucketNumber({ dialect }: Pick<Database, "dialect">, instant: SQL, widthMs: number): SQL {
  return sql`(cast(${dialect.epochMs(instant)} as bigint) / ${sql.raw(String(widthMs))})`;
}

/** An hour, and from when on something in it is new. Unix milliseconds. */
export interface HourNews {
  readonly hourMs: number;
  readonly fromMs: number;
}

/** So much of a token tells its time to about a minute (the upper 32 of 48 bits): few enough to list. */
export const TOKEN_HEAD = 8;
const HEAD_MS = 2 ** 16;

/** The hours that tokens with that beginning can lie in, and from when on. */
export function hoursOfHead(head: string): readonly HourNews[] {
  const fromMs = Number.parseInt(head, 16) * HEAD_MS;
  if (!Number.isSafeInteger(fromMs)) return [];
  const hourMs = bucketStart(fromMs, HOUR_MS);
  const nextMs = hourMs + HOUR_MS;
  const news = { hourMs, fromMs };
  return fromMs + HEAD_MS > nextMs ? [news, { hourMs: nextMs, fromMs: nextMs }] : [news];
}
