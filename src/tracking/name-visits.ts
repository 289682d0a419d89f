import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { findSession } from "./find-session.ts";
import { isTelegramUserId } from "./telegram-user-id.ts";

/** The visit learns who came by it, where it does not know yet; nothing more of anybody once it was erased. */
export async function nameVisit(
  tx: Tx,
  { sessions }: Tables,
  { trackingToken, telegramUserId }: { readonly trackingToken: string; readonly telegramUserId: string },
  now: Date,
): Promise<void> {
  await tx
    .update(sessions)
    .set({ userExternalId: telegramUserId, updatedAt: now })
    .where(and(eq(sessions.trackingToken, trackingToken), isNameless(sessions)));
}

function isNameless({ userExternalId, consent }: Tables["sessions"]) {
  return and(isNull(userExternalId), sql`${consent} is distinct from 'erased'`);
}

/**
 * Visits have come into the database after the starts that they led to: each learns who came by it first, as it would
 * have from the start; nothing of somebody who was erased meanwhile. Only after the visits' commit: who records a start
 * looks once more after its own (`nameIfVisitCame`), so that one of the two sees what the other wrote.
 */
export async function nameVisits(tx: Tx, tables: Tables, trackingTokens: readonly string[]): Promise<void> {
  const { sessions, funnelStates, botUsers } = tables;
  const steps = await tx
    .select({ trackingToken: sessions.trackingToken, telegramUserId: botUsers.telegramUserId })
    .from(sessions)
    .innerJoin(funnelStates, eq(funnelStates.trackingToken, sessions.trackingToken))
    .innerJoin(botUsers, eq(botUsers.id, funnelStates.botUserId))
    .where(and(inArray(sessions.trackingToken, [...trackingTokens]), isNameless(sessions)))
    // By token, so that two processes never lock visits crosswise.
    .orderBy(sessions.trackingToken, funnelStates.id);
  const seen = new Set<string>();
  for (const { trackingToken, telegramUserId } of steps) {
    const isFirst = !seen.has(trackingToken);
    seen.add(trackingToken);
    if (!isFirst || !isTelegramUserId(telegramUserId)) continue;
    await nameVisit(tx, tables, { trackingToken, telegramUserId }, new Date(tx.nowMs()));
  }
}

/**
 * The other look: a start has been committed, and its visit may have come in meanwhile, in a transaction that saw as little
 * of the start as the start's did of the visit.
 */
export async function nameIfVisitCame(db: Database, trackingToken: string): Promise<void> {
  const session = await findSession(db, db.tables, trackingToken);
  if (session?.userExternalId !== null) return;
  await db.transaction((tx) => nameVisits(tx, db.tables, [trackingToken]));
}
