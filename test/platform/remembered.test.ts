import { describe, expect, test } from "bun:test";
import { createRemembered } from "../../src/platform/remembered.ts";

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

  test("is not read again while a slow answer is on its way, and is kept from when it came", async () => {
    let nowMs = 0;
    let reads = 0;
    const slow = Promise.withResolvers<number>();
    const remembered = createRemembered<number>(1_000, () => nowMs);
    const read = () => {
      reads++;
      return slow.promise;
    };
    const first = remembered("a", read);
    nowMs = 5_000;
    const second = remembered("a", read);
    slow.resolve(7);
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    nowMs = 5_999;
    await remembered("a", read);
    expect(reads).toBe(1);
    nowMs = 6_000;
    await remembered("a", read);
    expect(reads).toBe(2);
  });
});
