import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { sql } from "drizzle-orm";
import { sqlitePath } from "../config/database-url.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import { findDatabaseId } from "../db/database-id.ts";
import { MIGRATIONS_TABLE } from "../db/migration-plan.ts";
import { type ExclusiveDatabase, openExclusively } from "../db/sqlite/exclusive.ts";
import { isBusy } from "../db/sqlite/wal.ts";
import { type CopyProgress, copyTables, firstFilled, maySetNumbers } from "../move/copy-tables.ts";
import { errorText } from "../platform/errors.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";
import { defineCommand, Refused, WrongUsage } from "./command.ts";
import { answer, record } from "./print.ts";
import { isMissing, withDatabase } from "./with-database.ts";

export const move = defineCommand({
  name: "move",
  summary: "Move a SQLite database into an empty Postgres",
  options: {
    from: { type: "string", value: "file", help: "the SQLite file, of which no Ponte makes use any more" },
  },
  details: [
    "Stop Ponte, let DATABASE_URL name the Postgres, move, and start Ponte again. DATA_DIR stays what it was: there are",
    "the key of the tokens and the visits that are not in the database yet. All is copied in one transaction, or nothing;",
    "then the file is called <file>.moved. See docs/operations.md.",
  ].join(" "),
  examples: ["move --from data/ponte.db"],
  async run({ from }, _values, context) {
    if (from === undefined) throw new WrongUsage("give the SQLite file: --from data/ponte.db");
    const { terminal } = context;
    await withDatabase(context, async ({ db, config, secrets }) => {
      const path = sqlitePath(from);
      const aside = `${path}.moved`;
      refuseUnmovable(config, path, aside);
      const source = openSource(path);
      try {
        await refuseForeign(source, path);
        await db.migrate();
        await refuseFilled(db, source, path);
        await refuseOtherUser(db);
        source.migrate();
        await refuseOtherKey(source, secrets);
        const copied = await db
          .transaction((tx) =>
            copyTables(source, tx, db.tables, (step) => terminal.progress(progressText(step))),
          )
          .finally(() => terminal.progress(""));
        putAside(source, path, aside);
        answer(context, { moved: copied, kept_as: aside }, () => movedText(copied, aside));
      } finally {
        source.close();
      }
    });
  },
});

function refuseUnmovable({ sqliteFile }: Config, path: string, aside: string): void {
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

function openSource(path: string): ExclusiveDatabase {
  try {
    return openExclusively(path);
  } catch (error) {
    if (!isBusy(error)) throw new Refused(`${path} cannot be opened: ${errorText(error)}`);
    throw new Refused(`Somebody has ${path} open. Stop Ponte, and whoever else reads it, then try again.`);
  }
}

/** Another program's file, or the spool, would get our tables, and be put away. */
async function refuseForeign(source: ExclusiveDatabase, path: string): Promise<void> {
  const found = await source.rows(sql`select 1 as one from sqlite_master where name = ${MIGRATIONS_TABLE}`);
  if (found.length === 0) throw new Refused(`${path} is no database of Ponte's. Let --from name ponte.db.`);
}

async function refuseFilled(db: Database, source: ExclusiveDatabase, path: string): Promise<void> {
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

async function refuseOtherUser(db: Database): Promise<void> {
  if (await maySetNumbers(db)) return;
  throw new Refused(
    "This Postgres' tables are another user's, who alone may say at which number they go on. Let DATABASE_URL name that user for the move, and the app's afterwards.",
  );
}

/** Tokens that nobody can open any more would be typed anew one by one. One that an older key sealed is no reason to stay. */
async function refuseOtherKey({ tables, select }: ExclusiveDatabase, secrets: Secrets): Promise<void> {
  const { pools, bots } = tables;
  const ofPools = await select({ sealed: pools.metaAccessToken }).from(pools);
  const ofBots = await select({ sealed: bots.token }).from(bots);
  const opens = [
    ...ofPools.map(({ sealed }) => opensWith(secrets, sealed, "pools.meta_access_token")),
    ...ofBots.map(({ sealed }) => opensWith(secrets, sealed, "bots.token")),
  ].filter((is) => is !== null);
  if (opens.length === 0 || opens.includes(true)) return;
  throw new Refused(
    "The tokens of its pools and bots were sealed with another key than this one. Let DATA_DIR name the folder that Ponte had before (where app-secret lies), or set the APP_SECRET that it had.",
  );
}

function opensWith(
  secrets: Secrets,
  sealed: string | null,
  purpose: "pools.meta_access_token" | "bots.token",
): boolean | null {
  return sealed === null ? null : openSealed(secrets, sealed, purpose).kind === "opened";
}

/** @throws Refused, which says that all is in Postgres */
function putAside(source: ExclusiveDatabase, path: string, aside: string): void {
  try {
    source.rename(aside);
  } catch (error) {
    throw new Refused(
      `All of ${path} is in this Postgres now, but the file could not be called ${aside}: ${errorText(error)}. Put it away, and start Ponte.`,
    );
  }
}

function progressText({ table, copied, total }: CopyProgress): string {
  return `${table}: ${copied} of ${total}`;
}

function movedText(copied: Readonly<Record<string, number>>, aside: string): string {
  const rows = Object.entries(copied).filter(([, n]) => n > 0);
  return [
    "Moved to Postgres:",
    record(rows),
    "",
    `The file is ${aside} now, and nothing reads it any more; it names people, so delete it when you are sure. Start Ponte.`,
  ].join("\n");
}
