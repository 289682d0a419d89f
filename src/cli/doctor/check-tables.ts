import { getTableColumns, getTableName, sql } from "drizzle-orm";
import { toSnakeCase } from "drizzle-orm/casing";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database, Tx } from "../../db/database.ts";
import { tablesOf } from "../../db/define-schema.ts";
import { grantCommand, INSUFFICIENT_PRIVILEGE, isOutdated } from "../../db/fault.ts";
import { grantOn, rightsOn } from "../../db/grants.ts";
import {
  MIGRATIONS_TABLE,
  migrationPlan,
  NEWER_DATABASE_TODO,
  newestMigration,
  OPERATOR_VIEWS,
} from "../../db/migration-plan.ts";
import { causesOf, codeOf } from "../../platform/errors.ts";
import { todoFor } from "../failure.ts";
import { bad, type Finding, good } from "./finding.ts";

const MIGRATE = "Run: bun run ponte migrate";

/** Whether every migration was applied. */
export async function checkMigrations(db: Database, user: string): Promise<Finding> {
  const { latest } = migrationPlan(db.dialect.name);
  let newest = 0;
  const error = await failureOf(
    newestMigration(db).then((found) => {
      newest = found;
    }),
  );
  if (error?.code === INSUFFICIENT_PRIVILEGE) {
    return bad(
      "migrations",
      error.message,
      `As its owner, run: ${grantOn(MIGRATIONS_TABLE, ["SELECT"], user)} (or ${grantCommand(user)})`,
    );
  }
  if (error !== null || newest === 0) return bad("migrations", "none was ever applied", MIGRATE);
  if (newest > latest) {
    return bad("migrations", "the database is newer than this version of Ponte", NEWER_DATABASE_TODO);
  }
  return newest < latest
    ? bad("migrations", "the database is older than this version of Ponte", MIGRATE)
    : good("migrations", "all applied");
}

/** Whether every table is there, with its columns, and may be read and written by us. */
export async function checkTables(db: Database, user: string): Promise<Finding[]> {
  const troubles = await Promise.all(tablesOf(db.tables).map((table) => tableTrouble(db, table, user)));
  const found = troubles.filter((trouble) => trouble !== null);
  const [first] = found;
  if (first === undefined) {
    return [good("tables", `all ${troubles.length} are there and may be read and written`)];
  }
  // A database without tables, or a full disk, is one thing that is wrong.
  const isOneThing = found.length > 1 && found.every(({ todo }) => todo === first.todo);
  return isOneThing
    ? [{ ...first, text: `${found.length} of ${troubles.length} cannot be used, such as ${first.text}` }]
    : found;
}

/** Whether the operators' views can be read. */
export async function checkViews(db: Database, user: string): Promise<Finding[]> {
  const troubles = await Promise.all(
    OPERATOR_VIEWS.map(async (view): Promise<Finding | null> => {
      const error = await failureOf(db.rows(sql`select * from ${sql.identifier(view)} limit 0`));
      if (error === null) return null;
      // Views made anew by a migration have lost the rights that were granted on them.
      const isForbidden = error.code === INSUFFICIENT_PRIVILEGE;
      const grant = `As its owner, run: ${grantOn(view, ["SELECT"], user)} (or ${grantCommand(user)})`;
      return bad("views", `${view}: ${error.message}`, isForbidden ? grant : MIGRATE);
    }),
  );
  const found = troubles.filter((trouble) => trouble !== null);
  return found.length > 0 ? found : [good("views", "the operators' views can be read")];
}

/** What we do to tables, each in a form that touches no row: rights are checked all the same. */
function probes(table: PgTable): readonly (readonly [right: string, probe: (tx: Tx) => Promise<unknown>])[] {
  const columns = Object.keys(getTableColumns(table)).map((key) => sql.identifier(toSnakeCase(key)));
  const [column] = columns;
  const all = sql.join(columns, sql`, `);
  return [
    ["SELECT", async (tx) => tx.select().from(table).limit(0)],
    // Names every column: SQLite takes an unknown name for a text anywhere but in an insert's list.
    ["INSERT", (tx) => tx.rows(sql`insert into ${table} (${all}) select ${all} from ${table} where 1 = 0`)],
    ["UPDATE", (tx) => tx.rows(sql`update ${table} set ${column} = ${column} where 1 = 0`)],
    ["DELETE", (tx) => tx.rows(sql`delete from ${table} where 1 = 0`)],
  ];
}

async function tableTrouble(db: Database, table: PgTable, user: string): Promise<Finding | null> {
  const name = getTableName(table);
  const missing: string[] = [];
  const rights = rightsOn(name);
  for (const [right, probe] of probes(table).filter(([needed]) => rights.includes(needed))) {
    // One transaction a probe: on Postgres the first failure would spoil the next.
    const error = await failureOf(db.transaction((tx) => probe(tx)));
    if (error === null) continue;
    if (error.code !== INSUFFICIENT_PRIVILEGE) return bad("tables", `${name}: ${error.message}`, error.todo);
    missing.push(right);
  }
  if (missing.length === 0) return null;
  return bad(
    "tables",
    `${name}: ${user} may not ${missing.join(", ")}`,
    `As its owner, run: ${grantOn(name, missing, user)} (or ${grantCommand(user)})`,
  );
}

/** The innermost cause: drizzle's own message only repeats the statement. */
async function failureOf(
  work: Promise<unknown>,
): Promise<{ message: string; code: string; todo: string } | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const cause = causesOf(error).at(-1);
    return cause
      ? { message: cause.message, code: codeOf(cause), todo: todoOf(cause) }
      : { message: String(error), code: "", todo: MIGRATE };
  }
}

function todoOf(error: Error): string {
  return isOutdated(error) ? MIGRATE : (todoFor(error) ?? MIGRATE);
}
