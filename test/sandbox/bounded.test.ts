import { expect, test } from "bun:test";
import fc from "fast-check";
import { boundedList, recentMap } from "../../src/sandbox/bounded.ts";

test("a bounded list shows exactly the newest items, in order, and counts the rest", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (capacity, items) => {
      const list = boundedList<number>(capacity);
      for (const item of items) list.push(item);
      const kept = items.slice(Math.max(0, items.length - capacity));
      expect(list.items()).toEqual(kept);
      expect(list.newest(3)).toEqual(kept.slice(Math.max(0, kept.length - 3)));
      expect(list.dropped()).toBe(items.length - kept.length);
    }),
  );
});

test("a recent map never holds more than its capacity and always the newer half", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat(50)), (capacity, keys) => {
      const map = recentMap<number>(capacity);
      keys.forEach((key, index) => {
        map.set(String(key), index);
      });
      expect(map.size()).toBeLessThanOrEqual(capacity);
      const newestFirst = [...new Set(keys.toReversed())].slice(0, Math.floor(capacity / 2));
      for (const key of newestFirst) expect(map.get(String(key))).toBe(keys.lastIndexOf(key));
    }),
  );
});
