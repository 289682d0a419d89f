import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { selectBot } from "../../src/redirect/select-bot.ts";

const bot = (poolBotId: number, weight = 1, totalRedirects = 0) => ({
  poolBotId,
  botId: poolBotId,
  username: `bot_${poolBotId}`,
  weight,
  totalRedirects,
});
const none = () => 0;

describe("selectBot", () => {
  test("weighted: 10 000 visits split as the weights do", () => {
    const bots = [bot(1, 5), bot(2, 3), bot(3, 2)];
    const seen = new Map<number, number>();
    // Evenly spread numbers, not random ones: the split is exact and the test never flakes.
    for (let i = 0; i < 10_000; i++) {
      const chosen = selectBot("weighted", bots, { random: (i + 0.5) / 10_000, turn: i, sinceRead: none });
      if (chosen) seen.set(chosen.poolBotId, (seen.get(chosen.poolBotId) ?? 0) + 1);
    }
    expect([...seen]).toEqual([
      [1, 5000],
      [2, 3000],
      [3, 2000],
    ]);
  });

  test("round_robin: everybody in turn", () => {
    const bots = [bot(1), bot(2), bot(3)];
    const chosen = [0, 1, 2, 3, 4].map(
      (turn) => selectBot("round_robin", bots, { random: 0, turn, sinceRead: none })?.poolBotId,
    );
    expect(chosen).toEqual([1, 2, 3, 1, 2]);
  });

  test("least_used: counts the redirects since the pool was read", () => {
    const bots = [bot(1, 1, 10), bot(2, 1, 8)];
    const since = new Map([[2, 3]]);
    const chosen = selectBot("least_used", bots, {
      random: 0,
      turn: 0,
      sinceRead: (id) => since.get(id) ?? 0,
    });
    expect(chosen?.poolBotId).toBe(1);
  });

  test("every strategy chooses a bot of the pool whenever there is one, and none otherwise", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("weighted" as const, "round_robin" as const, "least_used" as const),
        fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 8 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.nat(),
        (strategy, weights, random, turn) => {
          const bots = weights.map((weight, i) => bot(i + 1, weight));
          const chosen = selectBot(strategy, bots, { random, turn, sinceRead: none });
          expect(chosen === undefined).toBe(bots.length === 0);
        },
      ),
    );
  });
});
