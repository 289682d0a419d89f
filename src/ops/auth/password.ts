import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import { recordAudit } from "../../audit/audit-log.ts";
import { LONGEST_PASSWORD } from "../../config/variables.ts";
import type { Config } from "../../config.ts";
import type { Database, Tx } from "../../db/database.ts";
import { ENVIRONMENT } from "../../db/vocabulary.ts";

const SETTING = "operator_password_hash";
/** argon2id takes 64 MB a time: so many wait for their turn, further ones are turned away. */
const MOST_WAITING = 8;

type PasswordVerdict = "right" | "wrong" | "busy";

/**
 * Sees to it that there is a password, once, before the console can be reached. With `OPERATOR_PASSWORD` that is it, and a
 * changed one ends every session. Without, one is made at the first start: its hash is kept in `settings`, and the
 * password itself is returned, to be shown this one time. Null where there is nothing to show.
 */
export async function ensureOperatorPassword(
  db: Database,
  config: Pick<Config, "operatorPassword">,
): Promise<string | null> {
  const stored = await storedHash(db);
  if (config.operatorPassword === undefined) {
    if (stored !== null) return null;
    const password = randomBytes(15).toString("base64url");
    return (await keepFirstHash(db, await hashOf(password))) ? password : null;
  }
  if (stored !== null && (await Bun.password.verify(config.operatorPassword, stored))) return null;
  await replaceHash(db, await hashOf(config.operatorPassword));
  return null;
}

/**
 * Checks passwords by argon2id, one at a time: against `OPERATOR_PASSWORD` where it is set, else against the hash in
 * `settings`. As slow for a wrong password as where none is set. One that another process has replaced since is wrong
 * here, too: it would open a session that outlives the change.
 */
export function createPasswordCheck(
  db: Database,
  config: Pick<Config, "operatorPassword">,
): (given: string) => Promise<PasswordVerdict> {
  let ownHash: string | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  async function verify(given: string): Promise<PasswordVerdict> {
    if (config.operatorPassword !== undefined) ownHash ??= await hashOf(config.operatorPassword);
    const expected = ownHash ?? (await storedHash(db));
    if (expected === null) {
      await hashOf(given);
      return "wrong";
    }
    const isRight = await Bun.password.verify(given, expected);
    return isRight && (await isStillTheOne(given)) ? "right" : "wrong";
  }

  async function isStillTheOne(given: string): Promise<boolean> {
    if (config.operatorPassword === undefined) return true;
    const stored = await storedHash(db);
    return stored === null || Bun.password.verify(given, stored);
  }

  return async (given) => {
    if (given.length === 0 || given.length > LONGEST_PASSWORD) return "wrong";
    if (waiting >= MOST_WAITING) return "busy";
    waiting++;
    const verdict = turn.then(() => verify(given));
    turn = verdict.catch(() => undefined);
    try {
      return await verdict;
    } finally {
      waiting--;
    }
  };
}

function hashOf(password: string): Promise<string> {
  return Bun.password.hash(password, "argon2id");
}

/** The password's hash as it is kept: another one as soon as somebody has changed it. */
export async function storedHash(db: Database): Promise<string | null> {
  const { settings } = db.tables;
  const [row] = await db.select({ hash: settings.value }).from(settings).where(eq(settings.key, SETTING));
  return row?.hash ?? null;
}

/** The same inside a transaction, until whose end nobody changes it. */
export async function heldHash(tx: Tx, { tables, dialect }: Database): Promise<string | null> {
  const { settings } = tables;
  const [row] = await dialect.shared(
    tx.select({ hash: settings.value }).from(settings).where(eq(settings.key, SETTING)),
  );
  return row?.hash ?? null;
}

/** Of several processes that start at once one keeps its hash; true for that one. */
async function keepFirstHash(db: Database, hash: string): Promise<boolean> {
  const { settings } = db.tables;
  return db.transaction(async (tx) => {
    const kept = await tx
      .insert(settings)
      .values({ key: SETTING, value: hash, updatedAt: new Date() })
      .onConflictDoNothing()
      .returning({ key: settings.key });
    return kept.length > 0;
  });
}

async function replaceHash(db: Database, hash: string): Promise<void> {
  const { settings, operatorSessions } = db.tables;
  const updatedAt = new Date();
  await db.transaction(async (tx) => {
    await tx
      .insert(settings)
      .values({ key: SETTING, value: hash, updatedAt })
      .onConflictDoUpdate({ target: settings.key, set: { value: hash, updatedAt } });
    await tx.delete(operatorSessions);
    await recordAudit(tx, db.tables, {
      at: updatedAt,
      actor: ENVIRONMENT,
      action: "operator.password",
      subject: "operator",
    });
  });
}
