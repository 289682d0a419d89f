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
  await makeMissingBots(tx, tables, members, at);
  const botIds: number[] = [];
  for (const { username, weight, enabled } of members) {
    const botId = await botIdOf(tx, tables, username);
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

/** Makes the bots that nobody knows yet. By name, so that two operators who make the same ones never wait crosswise. */
async function makeMissingBots(
  tx: Tx,
  { bots }: Tables,
  members: readonly Member[],
  at: Date,
): Promise<void> {
  const names = members.map(({ username }) => username);
  const inOneOrder = names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  await tx
    .insert(bots)
    .values(inOneOrder.map((username) => ({ username, createdAt: at, updatedAt: at })))
    .onConflictDoNothing();
}

async function botIdOf(tx: Tx, tables: Tables, username: string): Promise<number> {
  const bot = await findBotRow(tx, tables, username);
  if (bot === undefined) throw new Error(`bot @${username} was made and is not there`);
  return bot.id;
}
