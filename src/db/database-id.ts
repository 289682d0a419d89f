import { eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { isAway } from "./fault.ts";

const KEY = "database_id";

/**
 * What a database is known by wherever it lies: it goes along with a dump, a copied file and a replica. Null where
 * nothing was yet (see `ensureDatabaseId`), as in a backup that an earlier version made.
 */
export async function findDatabaseId(db: Pick<Database, "select" | "tables">): Promise<string | null> {
  const { settings } = db.tables;
  const [row] = await db.select({ value: settings.value }).from(settings).where(eq(settings.key, KEY));
  return row?.value ?? null;
}

/**
 * The same, made where there is none: the first of several processes makes it for all. Null where the database, which
 * answers, lets it be neither read nor made: who wants its pools for a visitor goes on without.
 */
export async function ensureDatabaseId(db: Database): Promise<string | null> {
  try {
    const known = await findDatabaseId(db);
    if (known !== null) return known;
    const row = { key: KEY, value: crypto.randomUUID(), updatedAt: new Date() };
    await db.transaction((tx) => tx.insert(db.tables.settings).values(row).onConflictDoNothing());
    return await findDatabaseId(db);
  } catch (error) {
    // A right or a table that is missing is logged with what to do by who brings in visits, and named by the doctor.
    if (isAway(error)) throw error;
    return null;
  }
}
