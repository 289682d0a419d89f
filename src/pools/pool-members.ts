import { and, eq, notInArray } from "drizzle-orm";
import { isBotNamed } from "../bots/bot-view.ts";
import type { Database, Tx } from "../db/database.ts";
import type { PoolDraft } from "./pool-rules.ts";
import type { PoolBotView } from "./pool-view.ts";

type Member = PoolDraft["bots"][number];

/** The bots that a pool gets. */
interface NewMembers {
  readonly poolId: number;
  readonly members: readonly Member[];
  readonly at: Date;
}

/**
 * Makes the given bots the pool's bots. One that stays keeps its counter, and its weight and switch where they are
 * not named; one that is left out leaves the pool; one that nobody knows yet is made.
 */
export async function replaceMembers(
  tx: Tx,
  db: Database,
  { poolId, members, at }: NewMembers,
): Promise<void> {
  const { poolBots } = db.tables;
  const names = members.map(({ username }) => username);
  // By name, each whole before the next, so that two who make or keep the same bots never wait crosswise.
  const inOneOrder = names.toSorted((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const ids = new Map<string, number>();
  for (const name of inOneOrder) ids.set(name, await keptBot(tx, db, name, at));
  const botIds: number[] = [];
  for (const { username, weight, enabled } of members) {
    const botId = ids.get(username);
    if (botId === undefined) throw new Error(`bot @${username} was kept and is not there`);
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

/**
 * The bot's number. It is kept from being removed until the transaction ends, and made where nobody knows it. It is looked
 * for first: to insert a name that a bot is just losing would wait for its rename, which may wait for a name made here.
 */
async function keptBot(tx: Tx, db: Database, username: string, at: Date): Promise<number> {
  const { bots } = db.tables;
  const [bot] = await db.dialect.keyShared(
    tx.select({ id: bots.id }).from(bots).where(isBotNamed(db.tables, username)),
  );
  if (bot) return bot.id;
  await tx.insert(bots).values({ username, createdAt: at, updatedAt: at }).onConflictDoNothing();
  return keptBot(tx, db, username, at);
}
