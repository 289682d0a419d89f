import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { sql } from "drizzle-orm";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { findDatabaseId } from "../db/database-id.ts";
import { MIGRATIONS_TABLE } from "../db/migration-plan.ts";
import { type ExclusiveDatabase, openExclusively } from "../db/sqlite/exclusive.ts";
import { isBusy } from "../db/sqlite/wal.ts";
import { firstFilled, maySetNumbers } from "../move/copy-tables.ts";
import { errorText } from "../platform/errors.ts";
import type { Secrets } from "../platform/secrets.ts";
import { Refused } from "./command.ts";
import { whoSealed } from "./who-sealed.ts";
import { isMissing } from "./with-database.ts";

/** Before anything is opened. @throws Refused */
export function refuseUnmovable({ sqliteFile }: Config, path: string, aside: string): void {
  if (sqliteFile !== null) {
    throw new Refused(
      `DATABASE_URL names a SQLite file (${sqliteFile}). Let it name the Postgres to move to.`,
    );
  }
  if (isMissing(path)) throw new Refused(`There is no database at ${path}.`);
  if (existsSync(aside)) throw new Refused(`There is a file ${aside} already. Put it away, then try again.`);
  for (const needed of [path, dirname(path)]) {
    try {
      accessSync(needed, constants.W_OK);
    } catch (error) {
      throw new Refused(
        `${needed} cannot be written, and in the end the file gets another name: ${errorText(error)}. Move as the user that Ponte runs as.`,
      );
    }
  }
}

/** @throws Refused where the file is somebody else's at the moment, or cannot be opened */
export function openSource(path: string): ExclusiveDatabase {
  try {
    return openExclusively(path);
  } catch (error) {
    if (!isBusy(error)) throw new Refused(`${path} cannot be opened: ${errorText(error)}`);
    throw new Refused(`Somebody has ${path} open. Stop Ponte, and whoever else reads it, then try again.`);
  }
}

/** Another program's file, or the spool, would get our tables, and be put away. @throws Refused */
export async function refuseForeign(source: ExclusiveDatabase, path: string): Promise<void> {
  const found = await source.rows(sql`select 1 as one from sqlite_master where name = ${MIGRATIONS_TABLE}`);
  if (found.length === 0) throw new Refused(`${path} is no database of Ponte's. Let --from name ponte.db.`);
}

/** Only what a start alone has written is replaced. @throws Refused where there is more */
export async function refuseFilled(db: Database, source: ExclusiveDatabase, path: string): Promise<void> {
  const table = await firstFilled(db);
  if (table === null) return;
  const id = await findDatabaseId(db);
  if (id !== null && id === (await findDatabaseId(source))) {
    throw new Refused(`All of ${path} is in this Postgres already. Put the file away, and start Ponte.`);
  }
  throw new Refused(
    `This Postgres is not empty: ${table} has rows. Let DATABASE_URL name a new database (create database …).`,
  );
}

/** @throws Refused where the tables are another user's */
export async function refuseOtherUser(db: Database): Promise<void> {
  if (await maySetNumbers(db)) return;
  throw new Refused(
    "This Postgres' tables are another user's, who alone may say at which number they go on. Let DATABASE_URL name that user for the move, and the app's afterwards.",
  );
}

/**
 * Tokens that nobody can open any more would be typed anew one by one. One that an older key sealed is no reason to stay.
 * @throws Refused where none opens
 */
export async function refuseOtherKey(source: ExclusiveDatabase, secrets: Secrets): Promise<void> {
  if ((await whoSealed(source, secrets)) !== "another") return;
  throw new Refused(
    "The tokens of its pools and bots were sealed with another key than this one. Let DATA_DIR name the folder that Ponte had before (where app-secret lies), or set the APP_SECRET that it had.",
  );
}
