import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  pgTable,
  pgView,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";

/**
 * JSON kept as the text that was written (`json`, not `jsonb`): an outbox payload leaves for Meta byte for
 * byte as it was committed, and inserting it costs no re-encoding. `->>` works on it as on `jsonb`.
 */
const json = customType<{ data: unknown; driverData: unknown }>({
  dataType: () => "json",
  toDriver: (value) => JSON.stringify(value),
});

/** The column and table builders of Postgres, under the names that `defineSchema` uses for both databases. */
export const postgresKit = {
  table: pgTable,
  view: pgView,
  index,
  uniqueIndex,
  /** Row number made by the database, read as a JavaScript number (safe to 2^53). */
  rowId: () => bigint({ mode: "number" }).primaryKey().generatedByDefaultAsIdentity(),
  text: () => text(),
  integer: () => integer(),
  /** 64-bit integer read as a number: counters and amounts in minor units. */
  big: () => bigint({ mode: "number" }),
  boolean: () => boolean(),
  /** An instant, kept to the millisecond. */
  instant: () => timestamp({ withTimezone: true, precision: 3, mode: "date" }),
  json,
};

export type Kit = typeof postgresKit;
