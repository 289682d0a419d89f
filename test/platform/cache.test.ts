import { describe, expect, test } from "bun:test";
import { createCache } from "../../src/platform/cache.ts";

describe("what is cached", () => {
  test("is read once for all who ask together, again when it is old, and never where reading failed", async () => {
    let nowMs = 0;
    let reads = 0;
    const cached = createCache<number>(1_000, () => nowMs);
    const read = async () => ++reads;
    expect(await Promise.all([cached("a", read), cached("a", read), cached("b", read)])).toEqual([1, 1, 2]);
    nowMs = 1_000;
    expect(await cached("a", read)).toBe(3);
    cached.forget();
    await expect(cached("a", () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await cached("a", read)).toBe(4);
  });

  test("is not read again while a slow answer is on its way, and is kept from when it came", async () => {
    let nowMs = 0;
    let reads = 0;
    const slow = Promise.withResolvers<number>();
    const cached = createCache<number>(1_000, () => nowMs);
    const read = () => {
      reads++;
      return slow.promise;
    };
    const first = cached("a", read);
    nowMs = 5_000;
    const second = cached("a", read);
    slow.resolve(7);
    expect(await Promise.all([first, second])).toEqual([7, 7]);
    nowMs = 5_999;
    await cached("a", read);
    expect(reads).toBe(1);
    nowMs = 6_000;
    await cached("a", read);
    expect(reads).toBe(2);
  });

  test("is no more than a few dozen answers, whatever names are asked for", async () => {
    let reads = 0;
    const cached = createCache<number>(1_000, () => 0);
    const read = async () => ++reads;
    for (let name = 0; name < 50; name++) await cached(String(name), read);
    await cached("0", read);
    expect(reads).toBe(50);
    await cached("one more", read);
    await cached("0", read);
    expect(reads).toBe(52);
  });

  test("stays where the failure of an older question comes late", async () => {
    const cached = createCache<number>(1_000, () => 0);
    const older = Promise.withResolvers<number>();
    const failed = cached("a", () => older.promise);
    cached.forget();
    await cached("a", async () => 1);
    older.reject(new Error("away"));
    await expect(failed).rejects.toThrow("away");
    expect(await cached("a", async () => 2)).toBe(1);
  });
});
