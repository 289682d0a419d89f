import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { openDatabase } from "../../src/db/open.ts";
import {
  createSqliteFolder,
  createTestDatabase,
  type TestDatabase,
  testDialect,
} from "../support/database.ts";

/** What a live database says of itself, in words that both can say. */
interface Shape {
  readonly columns: readonly string[];
  readonly indexes: readonly string[];
}

const CATALOGUE_TYPES: Readonly<Record<string, string>> = {
  bigint: "integer",
  integer: "integer",
  boolean: "integer",
  "timestamp with time zone": "integer",
  text: "text",
  json: "text",
};

async function sqliteShape(db: Database): Promise<Shape> {
  const columns = await db.rows<{ line: string }>(sql`
    select t.name || '.' || c.name || ' ' || lower(c.type) || case when c."notnull" or c.pk then ' not null' else '' end
      || case when c.pk then ' key' else '' end as line
    from sqlite_schema t, pragma_table_info(t.name) c
    where t.type = 'table' and t.name not like 'sqlite_%' and t.name <> 'ponte_migrations' order by 1`);
  const indexes = await db.rows<{ line: string }>(sql`
    select i.name || case when i."unique" then ' unique' else '' end || case when i.partial then ' partial' else '' end
      || ' (' || (select group_concat(c.name, ', ' order by c.seqno) from pragma_index_info(i.name) c) || ')' as line
    from sqlite_schema t, pragma_index_list(t.name) i
    where t.type = 'table' and t.name not like 'sqlite_%' and i.origin = 'c' order by 1`);
  return { columns: columns.map(({ line }) => line), indexes: indexes.map(({ line }) => line) };
}

async function postgresShape(db: Database): Promise<Shape> {
  const columns = await db.rows<{ column: string; type: string; rest: string }>(sql`
    select c.table_name || '.' || c.column_name as column, c.data_type as type,
      case when c.is_nullable = 'NO' then ' not null' else '' end || case when k.column_name is not null then ' key' else '' end as rest
    from information_schema.columns c
    join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema and t.table_type = 'BASE TABLE'
    left join (
      select u.table_name, u.column_name from information_schema.key_column_usage u
      join information_schema.table_constraints p on p.constraint_name = u.constraint_name and p.constraint_type = 'PRIMARY KEY'
    ) k on k.table_name = c.table_name and k.column_name = c.column_name
    where c.table_schema = 'public' and c.table_name <> 'ponte_migrations'`);
  const indexes = await db.rows<{ line: string }>(sql`
    select i.relname || case when x.indisunique then ' unique' else '' end || case when x.indpred is not null then ' partial' else '' end
      || ' (' || (select string_agg(a.attname, ', ' order by k.n) from unnest(x.indkey) with ordinality k(attnum, n)
                  join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum) || ')' as line
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace
    where n.nspname = 'public' and not x.indisprimary`);
  return {
    columns: columns
      .map(({ column, type, rest }) => `${column} ${CATALOGUE_TYPES[type] ?? type}${rest}`)
      .sort(),
    indexes: indexes.map(({ line }) => line).sort(),
  };
}

const folder = createSqliteFolder();
let sqlite: Database;
let own: TestDatabase;
beforeAll(async () => {
  sqlite = await openDatabase({ url: folder.url });
  await sqlite.migrate();
  own = await createTestDatabase();
});
afterAll(async () => {
  await sqlite.close();
  await own.dispose();
  await folder.remove();
});

test("both databases report the same tables, columns, types and indexes", async () => {
  const here = await (testDialect === "postgres" ? postgresShape(own.db) : sqliteShape(own.db));
  const there = await sqliteShape(sqlite);
  const sorted = { columns: [...there.columns].sort(), indexes: [...there.indexes].sort() };
  expect({ columns: [...here.columns].sort(), indexes: [...here.indexes].sort() }).toEqual(sorted);
  expect(here.columns).toContain("meta_tracking_sessions.tracking_token text not null");
  expect(here.indexes).toContain("outbox_events_event_id_destination_unique unique (event_id, destination)");
});

test("migrating again changes nothing", async () => {
  const before = await (testDialect === "postgres" ? postgresShape(own.db) : sqliteShape(own.db));
  await own.db.migrate();
  await own.db.migrate();
  expect(await (testDialect === "postgres" ? postgresShape(own.db) : sqliteShape(own.db))).toEqual(before);
});

test("several processes that migrate an empty database at once leave one schema", async () => {
  const fresh = await createTestDatabase({ migrated: false });
  const others = await Promise.all([1, 2, 3].map(() => openDatabase({ url: fresh.url })));
  await Promise.all([fresh.db, ...others].map((db) => db.migrate()));
  expect(await fresh.db.$count(fresh.db.tables.pools)).toBe(0);
  await Promise.all(others.map((db) => db.close()));
  await fresh.dispose();
});
