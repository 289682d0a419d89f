import { getTableColumns, getTableName } from "drizzle-orm";
import { type Tables, tablesOf } from "./define-schema.ts";
import { MIGRATIONS_TABLE, OPERATOR_VIEWS } from "./migration-plan.ts";

/** What the app does to its tables, and all that it may do: no DDL, no TRUNCATE. */
const APP_RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE"] as const;

/** What is only ever added to: nobody who gets hold of the app takes his traces away. */
const APPEND_ONLY: ReadonlySet<string> = new Set(["audit_log"]);

/** What the app does to this table. */
export function rightsOn(table: string): readonly string[] {
  return APPEND_ONLY.has(table) ? ["SELECT", "INSERT"] : APP_RIGHTS;
}

/**
 * The least that the app's database user needs on a Postgres whose tables somebody else owns, one statement a line.
 * Safe to run again; to be run by the tables' owner, in the app's database.
 */
export function grantStatements(user: string, database: string, tables: Tables): string[] {
  const to = quoted(user);
  const all = tablesOf(tables);
  return [
    `GRANT CONNECT ON DATABASE ${quoted(database)} TO ${to};`,
    `GRANT USAGE ON SCHEMA public TO ${to};`,
    ...all.map((table) => grantOn(getTableName(table), rightsOn(getTableName(table)), user)),
    // Earlier versions granted more.
    ...[...APPEND_ONLY].map((table) => `REVOKE UPDATE, DELETE ON ${table} FROM ${to};`),
    // An identity column asks for no right on its sequence; a table that a tool restored with a default does.
    ...all.flatMap((table) =>
      getTableColumns(table).id?.generatedIdentity
        ? [`GRANT USAGE ON SEQUENCE ${getTableName(table)}_id_seq TO ${to};`]
        : [],
    ),
    ...[...OPERATOR_VIEWS, MIGRATIONS_TABLE].map((name) => grantOn(name, ["SELECT"], user)),
  ];
}

/** The statement that lets `user` do this to a table or a view. */
export function grantOn(relation: string, rights: readonly string[], user: string): string {
  return `GRANT ${rights.join(", ")} ON ${relation} TO ${quoted(user)};`;
}

/** A name as SQL has it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
