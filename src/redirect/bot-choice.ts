import type { Pool, PoolBot } from "../pools/pool.ts";
import { selectBot } from "./select-bot.ts";

/** Chooses bots by each pool's strategy, and remembers whose turn it is and how often each bot was chosen. */
export function createBotChoice() {
  const turns = new Map<number, number>();
  // A pool that was read anew is a new object: what was chosen before then is in its counters.
  const chosenSinceRead = new WeakMap<Pool, Map<number, number>>();

  return (pool: Pool): PoolBot | undefined => {
    const turn = turns.get(pool.id) ?? 0;
    turns.set(pool.id, turn + 1);
    const chosen = chosenSinceRead.get(pool) ?? new Map<number, number>();
    chosenSinceRead.set(pool, chosen);
    const bot = selectBot(pool.strategy, pool.bots, {
      random: Math.random(),
      turn,
      sinceRead: (poolBotId) => chosen.get(poolBotId) ?? 0,
    });
    if (bot) chosen.set(bot.poolBotId, (chosen.get(bot.poolBotId) ?? 0) + 1);
    return bot;
  };
}
