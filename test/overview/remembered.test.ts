import { describe, expect, test } from "bun:test";
import { createRemembered } from "../../src/overview/remembered.ts";

describe("what is remembered", () => {
  test("is read once for all who ask together, again when it is old, and never where reading failed", async () => {
    let nowMs = 0;
    let reads = 0;
    const remembered = createRemembered<number>(1_000, () => nowMs);
    const read = async () => ++reads;
    expect(await Promise.all([remembered("a", read), remembered("a", read), remembered("b", read)])).toEqual([
      1, 1, 2,
    ]);
    nowMs = 1_000;
    expect(await remembered("a", read)).toBe(3);
    remembered.forget();
    await expect(remembered("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await remembered("a", read)).toBe(4);
  });
});
