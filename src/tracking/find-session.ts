import { and, eq, inArray, sql } from "drizzle-orm";
import type { Reader } from "../db/database.ts";
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
