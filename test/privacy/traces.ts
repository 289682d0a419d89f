import { getTableName } from "drizzle-orm";
import type { Database } from "../../src/db/database.ts";
import { tablesOf } from "../../src/db/define-schema.ts";

/** Every row of every table, as text. */
export async function dump(db: Database): Promise<{ readonly table: string; readonly text: string }[]> {
  const rows: { table: string; text: string }[] = [];
  for (const table of tablesOf(db.tables)) {
    for (const row of await db.select().from(table)) {
      rows.push({ table: getTableName(table), text: JSON.stringify(row) });
    }
  }
  return rows;
}

/** Where which of the needles still stands: `table: name`, each once. */
export async function tracesOf(db: Database, needles: Readonly<Record<string, string>>): Promise<string[]> {
  const found = new Set<string>();
  for (const { table, text } of await dump(db)) {
    for (const [name, needle] of Object.entries(needles)) {
      if (needle.length < 6) throw new Error(`${name} is too short to be looked for`);
      if (text.includes(needle)) found.add(`${table}: ${name}`);
    }
  }
  return [...found].sort();
}
