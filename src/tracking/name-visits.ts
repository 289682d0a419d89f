import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isTelegramUserId } from "./telegram-user-id.ts";

/**
 * Visits have come into the database after the starts that they led to: each learns who came by it first, as it would
 * have from the start; nothing of somebody who was erased meanwhile.
 */
export async function nameVisits(tx: Tx, tables: Tables, trackingTokens: readonly string[]): Promise<void> {
  const { sessions, funnelStates, botUsers } = tables;
  const isNameless = and(isNull(sessions.userExternalId), sql`${sessions.consent} is distinct from 'erased'`);
  const steps = await tx
    .select({ token: sessions.trackingToken, telegramUser: botUsers.telegramUserId })
    .from(sessions)
    .innerJoin(funnelStates, eq(funnelStates.trackingToken, sessions.trackingToken))
    .innerJoin(botUsers, eq(botUsers.id, funnelStates.botUserId))
    .where(and(inArray(sessions.trackingToken, [...trackingTokens]), isNameless))
    // By token, so that two processes never lock visits crosswise.
    .orderBy(sessions.trackingToken, funnelStates.id);
  const seen = new Set<string>();
  for (const { token, telegramUser } of steps) {
    const isFirst = !seen.has(token);
    seen.add(token);
    if (!isFirst || !isTelegramUserId(telegramUser)) continue;
    await tx
      .update(sessions)
      .set({ userExternalId: telegramUser, updatedAt: new Date(tx.nowMs()) })
      .where(and(eq(sessions.trackingToken, token), isNameless));
  }
}
