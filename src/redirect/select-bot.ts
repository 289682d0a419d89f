import type { Strategy } from "../db/vocabulary.ts";
import type { PoolBot } from "../pools/pool.ts";

interface Selection {
  /** Uniform in [0, 1). */
  readonly random: number;
  /** Counts the pool's visits in this process: whose turn it is. */
  readonly turn: number;
  /** Redirects of a pool bot since the pool was read. */
  readonly sinceRead: (poolBotId: number) => number;
}

/** The bot that a visit goes to; undefined where the pool has none to offer. */
export function selectBot(
  strategy: Strategy,
  bots: readonly PoolBot[],
  selection: Selection,
): PoolBot | undefined {
  switch (strategy) {
    case "weighted":
      return weighted(bots, selection.random);
    case "round_robin":
      return bots[selection.turn % Math.max(bots.length, 1)];
    case "least_used":
      return leastUsed(bots, selection.sinceRead);
  }
}

function weighted(bots: readonly PoolBot[], random: number): PoolBot | undefined {
  const total = bots.reduce((sum, bot) => sum + bot.weight, 0);
  let left = random * total;
  for (const bot of bots) {
    left -= bot.weight;
    if (left < 0) return bot;
  }
  return bots.at(-1);
}

function leastUsed(bots: readonly PoolBot[], sinceRead: Selection["sinceRead"]): PoolBot | undefined {
  let best: PoolBot | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const bot of bots) {
    const used = bot.totalRedirects + sinceRead(bot.poolBotId);
    if (used < least) {
      least = used;
      best = bot;
    }
  }
  return best;
}
