import { expect, test } from "bun:test";
import { cached } from "../../src/health/cached.ts";

function counting() {
  const state = { asked: 0, nowMs: 0, fails: false };
  const ask = cached(
    1_000,
    async () => {
      state.asked++;
      if (state.fails) throw new Error("away");
      return state.asked;
    },
    () => state.nowMs,
  );
  return { state, ask };
}

test("asks once for all who ask at the same time, and again when the answer is old", async () => {
  const { state, ask } = counting();
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  state.nowMs = 999;
  expect(await ask()).toBe(1);
  state.nowMs = 1_000;
  expect(await ask()).toBe(2);
});

test("keeps no failure", async () => {
  const { state, ask } = counting();
  state.fails = true;
  await expect(ask()).rejects.toThrow("away");
  state.fails = false;
  expect(await ask()).toBe(2);
});
