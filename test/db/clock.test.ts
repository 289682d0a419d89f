import { describe, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { createClock } from "../../src/db/clock.ts";
import { yieldToEventLoop } from "../../src/platform/yield-to-event-loop.ts";
import { createTestDatabase, testDialect } from "../support/database.ts";

const BACK_MS = 10;

/** A database whose answers need 10 ms each way, the first one longer, and a process clock that only these calls move. */
function remote(databaseMs: number) {
  const state = { uptimeMs: 1_000, wallMs: 500, databaseMs, asked: 0, sleepsAt: 0, away: false };
  const pass = (ms: number) => {
    state.uptimeMs += ms;
    sleep(ms);
  };
  /** Of which a clock that only runs forward may know nothing. */
  const sleep = (ms: number) => {
    state.wallMs += ms;
    state.databaseMs += ms;
  };
  const clock = createClock(
    async () => {
      state.asked++;
      if (state.away) throw new Error("no answer");
      pass(10);
      const answer = state.databaseMs;
      if (state.asked === state.sleepsAt) sleep(7 * 86_400_000);
      pass(state.asked === 1 ? 300 : BACK_MS);
      return answer;
    },
    () => state.uptimeMs,
    () => state.wallMs,
  );
  return { state, pass, sleep, clock };
}

describe("the database's clock, reckoned", () => {
  test("follows the database, however far this process's own clock is off", async () => {
    const { state, pass, clock } = remote(1_732_000_000_000);
    await clock.ready();
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
    pass(12_345);
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
  });

  test("is measured once for many that ask together, and anew when half a minute has passed", async () => {
    const { state, pass, clock } = remote(1_732_000_000_000);
    await Promise.all([clock.ready(), clock.ready(), clock.ready()]);
    expect(state.asked).toBe(2);
    pass(29_000);
    await clock.ready();
    expect(state.asked).toBe(2);
    // Somebody set the database's clock.
    state.databaseMs += 5_000;
    pass(2_000);
    await clock.ready();
    await yieldToEventLoop();
    expect(state.asked).toBe(4);
    await clock.ready();
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
  });

  test("is measured anew before anything is dated by it where the machine slept", async () => {
    const { state, sleep, clock } = remote(1_732_000_000_000);
    await clock.ready();
    sleep(7 * 86_400_000);
    await clock.ready();
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
    expect(state.asked).toBe(4);
    await clock.ready();
    expect(state.asked).toBe(4);
  });

  test("is measured once more where the machine slept before it read the answer", async () => {
    const { state, clock } = remote(1_732_000_000_000);
    state.sleepsAt = 2;
    await clock.ready();
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
    expect(state.asked).toBe(4);
  });

  test("keeps the last measurement while the database is away", async () => {
    const { state, pass, clock } = remote(1_732_000_000_000);
    await clock.ready();
    state.away = true;
    pass(60_000);
    await clock.ready();
    expect(clock.nowMs()).toBe(state.databaseMs - BACK_MS);
  });

  test("fails where it was never measured", async () => {
    const { state, clock } = remote(0);
    state.away = true;
    await expect(clock.ready()).rejects.toThrow("no answer");
  });

  test(`in a transaction on ${testDialect} it reads what the database itself reads`, async () => {
    const own = await createTestDatabase();
    const { dialect } = own.db;
    const [before, reckoned, after] = await own.db.transaction(async (tx) => {
      const ask = async () =>
        Number((await tx.rows<{ ms: number }>(sql`select ${dialect.epochMs(dialect.now)} as ms`))[0]?.ms);
      return [await ask(), tx.nowMs(), await ask()] as const;
    });
    // At most a round trip behind, which on a busy machine may take a while.
    expect(reckoned).toBeGreaterThan(before - 1_000);
    expect(reckoned).toBeLessThanOrEqual(after);
    await own.dispose();
  });
});
