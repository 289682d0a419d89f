import { sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { bad, type Finding, good } from "./finding.ts";

/** Whether Postgres can keep every letter; one that was set up by an older version may not. SQLite always can. */
export async function checkEncoding(db: Database): Promise<Finding[]> {
  if (db.dialect.name === "sqlite") return [];
  const [row] = await db.rows<{ encoding: string }>(
    sql`select current_setting('server_encoding') as encoding`,
  );
  const encoding = row?.encoding;
  if (encoding === "UTF8") return [good("encoding", "the database keeps every letter")];
  return [
    bad(
      "encoding",
      `the database keeps text as ${encoding}: visits with other letters, such as an emoji in a campaign's name, stay in the spool`,
      "Dump it (pg_dump), and restore it into: create database ponte template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'",
    ),
  ];
}
