import { describe, expect, test } from "bun:test";
import { createReadBacks } from "../../src/payments/providers/read-backs.ts";

const EVERY_MS = 60_000;

/** Answers with how often it was asked. */
function counting() {
  let nowMs = Date.parse("2025-03-01T12:00:00Z");
  let asked = 0;
  const readBacks = createReadBacks<number>({ everyMs: EVERY_MS, now: () => new Date(nowMs) });
  return {
    pass(ms: number) {
      nowMs += ms;
    },
    read: (key = "a-transaction") => readBacks.read(key, async () => ++asked),
  };
}

describe("what a provider was asked a short while ago", () => {
  test("is not asked again within the interval, and is after it", async () => {
    const { pass, read } = counting();
    expect(await read()).toEqual({ value: 1, isFresh: true, nextInMs: EVERY_MS });
    pass(20_000);
    expect(await read()).toEqual({ value: 1, isFresh: false, nextInMs: 40_000 });
    pass(40_000);
    expect(await read()).toMatchObject({ value: 2, isFresh: true });
  });

  test("is forgotten, the oldest first, where too much was asked: memory has an end", async () => {
    const { read } = counting();
    for (let n = 0; n <= 10_000; n++) await read(`transaction-${n}`);
    expect(await read("transaction-10000")).toMatchObject({ isFresh: false });
    expect(await read("transaction-0")).toMatchObject({ isFresh: true });
  });

  test("is asked again when the clock was set back: nobody waits for the time that it jumped", async () => {
    const { pass, read } = counting();
    await read();
    pass(-3_600_000);
    expect(await read()).toMatchObject({ value: 2, isFresh: true });
  });
});
