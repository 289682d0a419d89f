import { randomBytes } from "node:crypto";
import { and, eq, gt, lte } from "drizzle-orm";
import type { Database, Tx } from "../../db/database.ts";
import type { Tables } from "../../db/define-schema.ts";
import { sha256Hex } from "../../platform/digests.ts";
import { DAY_MS, HOUR_MS } from "../../platform/durations.ts";

/** A session that nobody uses ends after this long… */
const IDLE_MS = 12 * HOUR_MS;
/** …and one in daily use when it is this old. */
export const LONGEST_SESSION_MS = 7 * DAY_MS;
/** How seldom use is written down. */
const NOTED_EVERY_MS = HOUR_MS;

/** A session key as it stands in the cookie: 32 random bytes. Anything else is not looked up. */
const KEY = /^[\w-]{43}$/;

export interface OperatorSession {
  readonly id: number;
  readonly csrfToken: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** A new session under a key of our making: what the browser brought before the login is never taken over. */
export async function openSession(tx: Tx, tables: Tables, now: Date): Promise<string> {
  const { operatorSessions } = tables;
  const key = randomBytes(32).toString("base64url");
  await tx.delete(operatorSessions).where(lte(operatorSessions.expiresAt, now));
  await tx.insert(operatorSessions).values({
    sessionHash: sha256Hex(key),
    csrfToken: randomBytes(32).toString("base64url"),
    createdAt: now,
    expiresAt: new Date(now.getTime() + IDLE_MS),
  });
  return key;
}

/** The session of that key, where there is one and it has not ended. */
export async function findSession(
  db: Database,
  key: string | undefined,
  now: Date,
): Promise<OperatorSession | null> {
  if (key === undefined || !KEY.test(key)) return null;
  const { operatorSessions } = db.tables;
  const { id, csrfToken, createdAt, expiresAt } = operatorSessions;
  const [session] = await db
    .select({ id, csrfToken, createdAt, expiresAt })
    .from(operatorSessions)
    .where(and(eq(operatorSessions.sessionHash, sha256Hex(key)), gt(expiresAt, now)));
  return session ?? null;
}

/** Being used keeps a session alive. */
export async function prolongSession(
  db: Database,
  { id, createdAt, expiresAt }: OperatorSession,
  now: Date,
): Promise<void> {
  const until = Math.min(now.getTime() + IDLE_MS, createdAt.getTime() + LONGEST_SESSION_MS);
  if (until - expiresAt.getTime() <= NOTED_EVERY_MS) return;
  const { operatorSessions } = db.tables;
  await db.transaction(async (tx) => {
    await tx
      .update(operatorSessions)
      .set({ expiresAt: new Date(until) })
      .where(eq(operatorSessions.id, id));
  });
}

/** Ends the session of that key, whatever it is. */
export async function endSession(tx: Tx, tables: Tables, key: string | undefined): Promise<void> {
  if (key === undefined || !KEY.test(key)) return;
  await tx.delete(tables.operatorSessions).where(eq(tables.operatorSessions.sessionHash, sha256Hex(key)));
}

/** Ends every session of every browser. */
export async function endAllSessions(tx: Tx, tables: Tables): Promise<void> {
  await tx.delete(tables.operatorSessions);
}
