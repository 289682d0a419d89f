import { sql } from "drizzle-orm";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { openDatabase } from "../../db/open.ts";
import { bad, type Finding, warning } from "./finding.ts";

/**
 * Whether `DATABASE_DIRECT_URL` leads past the pooler, and to this database: through the one no notification is heard, and in
 * another, migrations and wake-ups would help nobody.
 */
export async function checkDirect(
  db: Database,
  { database: { url, directUrl, pooler } }: Pick<Config, "database">,
): Promise<Finding[]> {
  if (db.dialect.name === "sqlite" || directUrl === undefined) return [];
  if (pooler !== undefined && directUrl === url) {
    return [
      warning(
        "DATABASE_DIRECT_URL",
        "is the same as DATABASE_URL, where DATABASE_POOLER says that a pooler is",
        "Let it lead past the pooler; where there is none, take DATABASE_POOLER away.",
      ),
    ];
  }
  const direct = await openDatabase({ url: directUrl });
  try {
    const [here, there] = await Promise.all([placeOf(db), placeOf(direct)]);
    if (here.server === there.server && here.name === there.name) return [];
    const which =
      here.name === there.name
        ? `the database ${there.name} of another server`
        : `the database ${there.name}`;
    return [
      bad(
        "DATABASE_DIRECT_URL",
        `leads to ${which}, not to DATABASE_URL's ${here.name}`,
        "Let both lead to one database: what is migrated and who is woken goes by the direct one.",
      ),
    ];
  } finally {
    await direct.close();
  }
}

async function placeOf(db: Database): Promise<{ readonly name: string; readonly server: string }> {
  const [place] = await db.rows<{ name: string; server: string }>(
    // A pooler may call a database as it likes; the server itself says when it began.
    sql`select current_database() as name, pg_postmaster_start_time()::text as server`,
  );
  return place ?? { name: "", server: "" };
}
