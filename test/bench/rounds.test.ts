import { expect, test } from "bun:test";
import { takeTurns } from "../../scripts/bench/rounds.ts";

test("the sides take turns, and who begins changes from round to round", async () => {
  const order: string[] = [];
  const side = (name: string) => async () => order.push(name);
  const bench = { effort: { rounds: 3 }, say: () => undefined };
  const figures = await takeTurns(bench, { ours: side("ours"), yardstick: side("yardstick") });
  expect(order).toEqual(["ours", "yardstick", "yardstick", "ours", "ours", "yardstick"]);
  expect(figures).toEqual({ ours: [1, 4, 5], yardstick: [2, 3, 6] });
});

test("each round's two figures are told, and a failure ends the rounds", async () => {
  const told: string[] = [];
  let n = 0;
  const bench = { effort: { rounds: 5 }, say: (line: string) => void told.push(line) };
  const rounds = takeTurns(bench, {
    ours: async () => ++n,
    yardstick: async () => {
      if (n === 3) throw new Error("it broke");
      return n * 1_000;
    },
  });
  await expect(rounds).rejects.toThrow("it broke");
  expect(told).toEqual(["round 1 of 5: 1.00 of 1 000", "round 2 of 5: 2.00 of 1 000"]);
});
