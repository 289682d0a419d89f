import { and, eq, notInArray } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isBotNamed } from "./bot-view.ts";
import type { PoolBotView } from "./pool-view.ts";
import type { PoolDraft } from "./rules.ts";

type Member = PoolDraft["bots"][number];

/**
 * Makes the given bots the pool's bots. One that stays keeps its counter, and its weight and switch where they are
 * not named; one that is left out leaves the pool; one that nobody knows yet is made.
 */
export async function replaceMembers(
  tx: Tx,
  db: Database,
  poolId: number,
  members: readonly Member[],
  at: Date,
): Promise<void> {
  const { poolBots } = db.tables;
  await makeMissingBots(tx, db.tables, members, at);
  const botIds: number[] = [];
  for (const member of members) {
    const { weight, enabled } = member;
    const botId = await keptBot(tx, db, member, at);
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

/** The bot's number. It is kept from being removed until the transaction ends, and made again if it just was. */
async function keptBot(tx: Tx, db: Database, member: Member, at: Date): Promise<number> {
  const { bots } = db.tables;
  const [bot] = await db.dialect.kept(
    tx.select({ id: bots.id }).from(bots).where(isBotNamed(db.tables, member.username)),
  );
  if (bot) return bot.id;
  await makeMissingBots(tx, db.tables, [member], at);
  return keptBot(tx, db, member, at);
}
