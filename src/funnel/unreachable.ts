import { and, eq, isNull } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { findSession } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";

/** Opens the reason of a dead row whose person cannot be written to; the rest are Telegram's words. */
export const UNREACHABLE = "the person cannot be reached: ";

/**
 * Somebody blocked the bot, or is gone: written on the person, and as the funnel's state `blocked`, once for each
 * time that it happens. A person that nobody knows changes nothing.
 */
export async function markUnreachable(
  tx: Tx,
  tables: Tables,
  person: { readonly botId: number; readonly telegramUserId: string },
  now: Date,
): Promise<void> {
  const { botUsers } = tables;
  const [user] = await tx
    .update(botUsers)
    .set({ blockedAt: now, updatedAt: now })
    .where(and(isPerson(tables, person), isNull(botUsers.blockedAt)))
    .returning();
  if (!user) return;
  const session = await findSession(tx, tables, user.latestToken);
  const step = {
    state: "blocked" as const,
    of: `${user.id}_${now.getTime()}`,
    poolId: session?.poolId ?? null,
    botId: user.botId,
    botUserId: user.id,
    trackingToken: user.latestToken,
  };
  await recordFunnelState(tx, tables, step, now);
}

/** They came back: messages may reach them again. */
export async function markReachable(
  tx: Tx,
  tables: Tables,
  person: { readonly botId: number; readonly telegramUserId: string },
  now: Date,
): Promise<void> {
  await tx.update(tables.botUsers).set({ blockedAt: null, updatedAt: now }).where(isPerson(tables, person));
}

function isPerson(
  { botUsers }: Tables,
  { botId, telegramUserId }: { readonly botId: number; readonly telegramUserId: string },
) {
  return and(eq(botUsers.botId, botId), eq(botUsers.telegramUserId, telegramUserId));
}
