import { getTableColumns, getTableName, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { Database } from "../../db/database.ts";
import { tablesOf } from "../../db/define-schema.ts";
import { numbersAhead } from "../../db/fault.ts";
import { bad, type Finding, good } from "./finding.ts";

/**
 * Whether Postgres has numbers left that no row has: its sequences may be behind in a copy that came without them, such
 * as a logical replica. SQLite looks for the next number itself.
 */
export async function checkNumbers(db: Database): Promise<Finding[]> {
  if (db.dialect.name === "sqlite") return [];
  const numbered = tablesOf(db.tables).filter((table) => getTableColumns(table).id?.generatedIdentity);
  const troubles = await Promise.all(numbered.map((table) => numbersTrouble(db, table)));
  const found = troubles.filter((trouble) => trouble !== null);
  return found.length > 0 ? found : [good("numbers", "every table's next one is free")];
}

async function numbersTrouble(db: Database, table: PgTable): Promise<Finding | null> {
  const name = getTableName(table);
  // The last one is null where none was given yet, and where we may not know.
  const [row] = await db.rows<{ isBehind: boolean }>(sql`
    select coalesce(last_value, 0) < (select coalesce(max(id), 0) from ${table})
      and has_sequence_privilege(sequence, 'SELECT, USAGE') as "isBehind"
    from pg_get_serial_sequence(${name}, 'id') as sequence
    join pg_sequences on format('%I.%I', schemaname, sequencename) = sequence`);
  if (!row?.isBehind) return null;
  return bad(
    "numbers",
    `${name}: the next one belongs to a row already, so that nothing new can be written`,
    `As the tables' owner, run: ${numbersAhead(name)}`,
  );
}
