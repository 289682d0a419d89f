import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";

/** What of an event tells of no person: which it is, when, and what was sold for how much. */
const KEPT: ReadonlySet<string> = new Set([
  "event_name",
  "event_time",
  "event_id",
  "action_source",
  "custom_data",
]);

/** The payload without the person, and marked so; of a message in a chat nothing is left. */
export function erasedPayload(payload: unknown): object {
  const entries = typeof payload === "object" && payload !== null ? Object.entries(payload) : [];
  return { erased: true, ...Object.fromEntries(entries.filter(([key]) => KEPT.has(key))) };
}

/** Whether a row's payload has that mark. No value can read like it: inside a JSON text its quotes are escaped. */
export function isErased({ dialect, tables: { outbox } }: Database): SQL {
  return sql`(${dialect.jsonText(sql`${outbox.payload}`)} like '{"erased":true%')`;
}
