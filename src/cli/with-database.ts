import { statSync } from "node:fs";
import { type Config, readConfig } from "../config.ts";
import type { Database } from "../db/database.ts";
import { openDatabase } from "../db/open.ts";
import { appSecret, findAppSecret } from "../platform/app-secret.ts";
import { misspeltLines } from "../platform/misspelt.ts";
import { createSecrets, SealBrokenError, type Secrets } from "../platform/secrets.ts";
import { type Context, Refused } from "./command.ts";

/** Who the audit log names for what is done here. */
export const ACTOR = "cli";

export interface Opened {
  readonly config: Config;
  readonly db: Database;
  /** Only sealing makes a key where there is none. */
  readonly secrets: Secrets;
  readonly now: () => Date;
}

/**
 * Does work on the database that the environment names, and closes it in the end. Says first which settings may be
 * misspelt: another database than was meant would be worked on.
 *
 * @throws ConfigError
 */
export async function withDatabase<T>(
  { terminal }: Context,
  work: (opened: Opened) => Promise<T>,
  { mayCreate = false, tellsMisspelt = true }: { mayCreate?: boolean; tellsMisspelt?: boolean } = {},
): Promise<T> {
  const config = readConfig(terminal.environment);
  for (const line of tellsMisspelt ? misspeltLines(terminal.environment) : []) terminal.err(line);
  const { sqliteFile } = config;
  if (sqliteFile !== null && !mayCreate && isMissing(sqliteFile)) {
    throw new Refused(`There is no database at ${sqliteFile}. Make it with: bun run ponte migrate`);
  }
  const db = await openDatabase(config.database);
  try {
    return await work({ config, db, secrets: lazySecrets(config, terminal), now: () => new Date() });
  } finally {
    await db.close();
  }
}

/** Whether there is no such file. One in a folder that is closed to us may be there: opening it says what is wrong. */
export function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** The key is made when something is to be sealed: looking at a database leaves nothing behind. */
function lazySecrets(config: Config, terminal: Context["terminal"]): Secrets {
  const onMade = (path: string) =>
    terminal.err(`Made a new key, ${path}: no server without it can open what is sealed now.`);
  return {
    seal: (plain, purpose) => createSecrets(appSecret(config, onMade)).seal(plain, purpose),
    open(sealed, purpose) {
      const key = findAppSecret(config);
      if (key === null) throw new SealBrokenError(purpose);
      return createSecrets(key).open(sealed, purpose);
    },
  };
}
