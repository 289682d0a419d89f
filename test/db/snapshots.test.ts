import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { getTableColumns, getTableName, is, Table } from "drizzle-orm";
import { z } from "zod";
import * as postgresTables from "../../src/db/postgres/tables.ts";
import * as sqliteTables from "../../src/db/sqlite/tables.ts";

/**
 * What drizzle-kit wrote down when it generated the newest migration of each database: unlike live databases, both are
 * there in every stage. The drift test compares what the migrations make of live ones.
 */
const columnSchema = z.object({
  name: z.string(),
  type: z.string(),
  notNull: z.boolean(),
  primaryKey: z.boolean(),
  default: z.unknown().optional(),
});
const indexColumn = z.union([z.string(), z.object({ expression: z.string(), asc: z.boolean() })]);
const indexSchema = z.object({
  name: z.string(),
  columns: z.array(indexColumn),
  isUnique: z.boolean(),
  where: z.string().optional(),
});
const foreignKeySchema = z.object({
  tableFrom: z.string(),
  columnsFrom: z.array(z.string()),
  tableTo: z.string(),
  columnsTo: z.array(z.string()),
  onDelete: z.string().optional(),
  onUpdate: z.string().optional(),
});
const snapshotSchema = z.object({
  tables: z.record(
    z.string(),
    z.object({
      name: z.string(),
      columns: z.record(z.string(), columnSchema),
      indexes: z.record(z.string(), indexSchema),
      foreignKeys: z.record(z.string(), foreignKeySchema),
    }),
  ),
});

/** What a type of Postgres is in SQLite, which has four. */
const IN_SQLITE: Readonly<Record<string, string>> = {
  bigint: "integer",
  integer: "integer",
  boolean: "integer",
  "timestamp (3) with time zone": "integer",
  json: "text",
};

async function shapeOf(dialect: "sqlite" | "postgres") {
  const folder = join(import.meta.dir, "../../drizzle", dialect, "meta");
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith("_snapshot.json"))
    .sort()
    .at(-1);
  const { tables } = snapshotSchema.parse(await Bun.file(join(folder, newest ?? "")).json());
  return Object.values(tables)
    .map(({ name, columns, indexes, foreignKeys }) => ({
      name,
      // In their order, too: a hand-written insert without names would depend on it.
      columns: Object.values(columns).map(({ type, default: given, ...column }) => ({
        ...column,
        type: IN_SQLITE[type] ?? type,
        // SQLite keeps a truth as a number.
        default:
          given === undefined
            ? null
            : String(given)
                .replace(/^true$/, "1")
                .replace(/^false$/, "0"),
      })),
      indexes: Object.values(indexes)
        .map(({ columns: parts, where, ...index }) => ({
          ...index,
          where: where ?? null,
          columns: parts.map((part) =>
            typeof part === "string" ? part : part.expression + (part.asc ? "" : " desc"),
          ),
        }))
        .sort((a, b) => a.name.localeCompare(b.name)),
      foreignKeys: Object.values(foreignKeys),
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

test("the migrations of both databases make the same tables: columns, defaults, keys, and indexes with their order and predicates", async () => {
  const sqlite = await shapeOf("sqlite");
  expect(await shapeOf("postgres")).toEqual(sqlite);
  const progress = sqlite.find(({ name }) => name === "outbox_progress");
  expect(progress?.indexes.find(({ name }) => name === "outbox_pending_idx")).toMatchObject({
    columns: ["destination", "route", "available_at", "id"],
    where: "status = 'pending'",
  });
});

/** What every column is in our code: there, an instant, a truth and a number are three things in SQLite, too. */
function kindsOf(tables: Readonly<Record<string, unknown>>) {
  const lines: string[] = [];
  for (const table of Object.values(tables)) {
    if (!is(table, Table)) continue;
    for (const [key, { dataType }] of Object.entries(getTableColumns(table))) {
      lines.push(`${getTableName(table)}.${key} ${dataType}`);
    }
  }
  return lines.sort();
}

test("every column is of the same kind in our code on both", () => {
  const kinds = kindsOf(sqliteTables);
  expect(kindsOf(postgresTables)).toEqual(kinds);
  for (const line of [
    "pools.enabled boolean",
    "outbox_progress.availableAt date",
    "outbox_progress.attempts number",
  ]) {
    expect(kinds).toContain(line);
  }
});
