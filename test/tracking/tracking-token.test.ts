import { describe, expect, test } from "bun:test";
import { isWorthKeeping, mayBeSpooled } from "../../src/tracking/tracking-token.ts";

describe("whether a token that nobody knows may be a visit on its way, where it is", () => {
  const now = new Date("2026-01-20T12:00:00Z");
  const MINUTE_MS = 60_000;
  const DAY_MS = 1_440 * MINUTE_MS;
  const madeAgo = (ageMs: number, version = "7") =>
    `${(now.getTime() - ageMs).toString(16).padStart(12, "0")}${version}abc8${"0".repeat(15)}`;

  test.each<[string, string, boolean]>([
    ["made just now", madeAgo(0), true],
    ["made six days ago", madeAgo(6 * DAY_MS), true],
    ["made eight days ago", madeAgo(8 * DAY_MS), false],
    ["of a clock four minutes ahead", madeAgo(-4 * MINUTE_MS), true],
    ["of a clock six minutes ahead", madeAgo(-6 * MINUTE_MS), false],
    ["of somebody who denied consent", madeAgo(0, "8"), true],
    ["of another version", madeAgo(0, "4"), false],
    ["that is no token", madeAgo(0).slice(1), false],
  ])("%s", (_which, token, expected) => {
    expect(mayBeSpooled(token, now)).toBe(expected);
  });

  test("one that is long gone is worth keeping where its visitor denied consent", () => {
    expect(isWorthKeeping(madeAgo(400 * DAY_MS, "8"), now)).toBe(true);
    expect(isWorthKeeping(madeAgo(400 * DAY_MS), now)).toBe(false);
    expect(isWorthKeeping(madeAgo(0), now)).toBe(true);
  });
});
