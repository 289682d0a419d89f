import { and, eq, notInArray } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { findBotRow } from "./bot-view.ts";
import type { PoolBotView } from "./pool-view.ts";
import type { PoolDraft } from "./rules.ts";

type Member = PoolDraft["bots"][number];

/**
 * Makes the given bots the pool's bots. One that stays keeps its counter, and its weight and switch where they are
 * not named; one that is left out leaves the pool; one that nobody knows yet is made.
 */
export async function replaceMembers(
  tx: Tx,
  tables: Tables,
  poolId: number,
  members: readonly Member[],
  at: Date,
): Promise<void> {
  const { poolBots } = tables;
  const botIds: number[] = [];
  for (const { username, weight, enabled } of members) {
    const botId = await ensureBot(tx, tables, username, at);
    botIds.push(botId);
    await tx
      .insert(poolBots)
      .values({ poolId, botId, weight: weight ?? 1, enabled: enabled ?? true })
      .onConflictDoNothing();
    if (weight === undefined && enabled === undefined) continue;
    await tx
      .update(poolBots)
      .set({ weight, enabled })
      .where(and(eq(poolBots.poolId, poolId), eq(poolBots.botId, botId)));
  }
  await tx.delete(poolBots).where(and(eq(poolBots.poolId, poolId), notInArray(poolBots.botId, botIds)));
}

/** Whether the pool's bots are the given ones already. */
export function areMembers(current: readonly PoolBotView[], wanted: readonly Member[]): boolean {
  return (
    current.length === wanted.length &&
    wanted.every(({ username, weight, enabled }) => {
      const member = current.find((bot) => bot.username.toLowerCase() === username.toLowerCase());
      return (
        member !== undefined &&
        (weight === undefined || weight === member.weight) &&
        (enabled === undefined || enabled === member.enabled)
      );
    })
  );
}

/** The bot of that name, made where there is none. */
async function ensureBot(tx: Tx, tables: Tables, username: string, at: Date): Promise<number> {
  await tx.insert(tables.bots).values({ username, createdAt: at, updatedAt: at }).onConflictDoNothing();
  const bot = await findBotRow(tx, tables, username);
  if (bot === undefined) throw new Error(`bot @${username} was made and is not there`);
  return bot.id;
}
