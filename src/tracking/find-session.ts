import { and, eq, inArray, sql } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Session } from "./session.ts";
import { isTrackingToken } from "./tracking-token.ts";

/** The visit of a tracking token; null where nobody knows it. */
export async function findSession(
  reader: Reader,
  tables: Tables,
  trackingToken: string | null,
): Promise<Session | null> {
  if (trackingToken === null || !isTrackingToken(trackingToken)) return null;
  const { sessions } = tables;
  const [session] = await reader.select().from(sessions).where(eq(sessions.trackingToken, trackingToken));
  return session ?? null;
}

/**
 * The same, as it stays until the transaction ends: nobody erases a visit between what is read of it and what is written.
 * Asked for after people and payments were locked, never before.
 */
export async function holdSession(
  tx: Tx,
  { tables: { sessions }, dialect }: Database,
  trackingToken: string | null,
): Promise<Session | null> {
  if (trackingToken === null || !isTrackingToken(trackingToken)) return null;
  const [session] = await dialect.shared(
    tx.select().from(sessions).where(eq(sessions.trackingToken, trackingToken)),
  );
  return session ?? null;
}

/** The visits of these tracking tokens, but those that were erased. */
export async function findSessions(
  reader: Reader,
  { sessions }: Tables,
  trackingTokens: readonly string[],
): Promise<Session[]> {
  return reader
    .select()
    .from(sessions)
    .where(
      and(
        inArray(sessions.trackingToken, [...trackingTokens]),
        sql`${sessions.consent} is distinct from 'erased'`,
      ),
    );
}
