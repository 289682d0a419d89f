import { describe, expect, test } from "bun:test";
import { consequencesOf } from "../../src/outbox/consequences.ts";
import type { Answer, Verdict } from "../../src/outbox/destination.ts";

const ANSWER: Answer = {
  status: 200,
  code: null,
  subcode: null,
  fbtraceId: "T",
  durationMs: 5,
  response: "{}",
};
const CALM = { events: 1, throttles: 0, unexplained: 0, isStopping: false, random: 0.5 };
const of = (verdict: Verdict, circumstances: Partial<typeof CALM> = {}) =>
  consequencesOf({ verdict, answer: ANSWER }, { ...CALM, ...circumstances });

const DELIVERED: Verdict = { kind: "delivered", note: null, pauseMs: null };
const TRANSIENT: Verdict = { kind: "transient", reason: "gone", afterMs: null };
const REFUSED: Verdict = { kind: "invalid", reason: "bad", as: "dead", isUnexplained: true };

describe("while the process stops", () => {
  test("what arrived all the same counts, or it would be sent again", () => {
    expect(of(DELIVERED, { isStopping: true })).toEqual(of(DELIVERED));
  });

  test.each<Verdict>([
    TRANSIENT,
    REFUSED,
    { kind: "partial", reason: "half", pauseMs: null },
    { kind: "credential", reason: "no" },
  ])("nothing else is held against rows or route: $kind", (verdict) => {
    expect(of(verdict, { isStopping: true, unexplained: 19 })).toEqual({
      settlement: { kind: "released", afterMs: null, reason: null },
      change: { kind: "unknown" },
      reply: { kind: "stop" },
    });
  });
});

test("a retry waits as long as it is asked to, and longer where its back-off says so", () => {
  const waitOf = (afterMs: number | null, attempts: number) => {
    const { settlement } = of({ ...TRANSIENT, afterMs });
    return settlement?.kind === "retry" ? settlement.afterMs(attempts) : undefined;
  };
  expect(waitOf(null, 1)).toBe(1_250);
  expect(waitOf(90_000, 1)).toBe(90_000);
  expect(waitOf(1_000, 10)).toBe(512_250);
});

test("several rows that are refused together are sent apart; one alone ends, and the twentieth that nothing explains pauses its route instead", () => {
  expect(of(REFUSED, { events: 2, unexplained: 19 })).toMatchObject({ settlement: null, change: null });
  expect(of(REFUSED, { unexplained: 18 })).toMatchObject({
    settlement: { kind: "dead", reason: "bad", fbtraceId: "T" },
    change: { kind: "healthy", unexplained: "more" },
  });
  expect(of(REFUSED, { unexplained: 19 })).toMatchObject({
    settlement: { kind: "released" },
    change: { kind: "paused", by: "refusal" },
    reply: { kind: "stop" },
  });
  expect(of({ ...REFUSED, isUnexplained: false }, { unexplained: 19 })).toMatchObject({
    settlement: { kind: "dead" },
    change: { unexplained: "same" },
  });
});

test("quiet that only the rows need does not hold back their route", () => {
  const quiet = (whose: "account" | "rows") =>
    of({ kind: "throttled", whose, reason: "slow", afterMs: 5_000 }).change;
  expect(quiet("account")).toEqual({ kind: "throttled", forMs: 5_000 });
  expect(quiet("rows")).toEqual({ kind: "throttled", forMs: null });
});
