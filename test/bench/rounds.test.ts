import { expect, test } from "bun:test";
import { takeTurns } from "../../scripts/bench/rounds.ts";

test("the sides take turns, and who begins changes from round to round", async () => {
  const order: string[] = [];
  const side = (name: string) => async () => order.push(name);
  const figures = await takeTurns(3, { ours: side("ours"), yardstick: side("yardstick") });
  expect(order).toEqual(["ours", "yardstick", "yardstick", "ours", "ours", "yardstick"]);
  expect(figures).toEqual({ ours: [1, 4, 5], yardstick: [2, 3, 6] });
});

test("each round's two figures are told, and a failure ends the rounds", async () => {
  const told: number[][] = [];
  let n = 0;
  const rounds = takeTurns(
    5,
    {
      ours: async () => ++n,
      yardstick: async () => {
        if (n === 3) throw new Error("it broke");
        return n * 10;
      },
    },
    (...figures) => told.push(figures),
  );
  expect(rounds).rejects.toThrow("it broke");
  await rounds.catch(() => undefined);
  expect(told).toEqual([
    [1, 1, 10],
    [2, 2, 10],
  ]);
});
