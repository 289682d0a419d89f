import { expect, test } from "bun:test";
import { chunksOf, inChunks } from "../../src/privacy/chunks.ts";

test.each([0, 1, 199, 200, 201, 650])(
  "of %d items each is asked for, in order, two hundred at a time",
  async (n) => {
    const items = Array.from({ length: n }, (_, i) => i);
    expect(chunksOf(items).flat()).toEqual(items);
    expect(chunksOf(items)).toHaveLength(Math.ceil(n / 200));
    expect(await inChunks(items, async (some) => some.map(String))).toEqual(items.map(String));
  },
);
