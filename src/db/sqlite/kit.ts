import {
  customType,
  index,
  integer,
  sqliteTable,
  sqliteView,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Kit } from "../postgres/kit.ts";

const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => JSON.parse(value),
});

const sqliteBuilders = {
  table: sqliteTable,
  view: sqliteView,
  index,
  uniqueIndex,
  // AUTOINCREMENT: a row number is never given twice, as with Postgres' identity columns.
  rowId: () => integer({ mode: "number" }).primaryKey({ autoIncrement: true }),
  text: () => text(),
  integer: () => integer({ mode: "number" }),
  big: () => integer({ mode: "number" }),
  boolean: () => integer({ mode: "boolean" }),
  instant: () => integer({ mode: "timestamp_ms" }),
  json,
};

/**
 * The builders of SQLite under Postgres' types. This cast is the one place where the two dialects are told to
 * be alike: drizzle's builders of both have the same methods as far as `defineSchema` and our queries go, the
 * JavaScript types of every column are equal (Date, boolean, number, parsed JSON), and the drift test compares
 * the two live databases column by column.
 */
export const sqliteKit = sqliteBuilders as unknown as Kit;
