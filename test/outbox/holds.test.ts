import { expect, test } from "bun:test";
import { LONGEST_OPEN_MS } from "../../src/outbox/back-off.ts";
import { holdOf, type RouteRow } from "../../src/outbox/holds.ts";

const NOW = Date.UTC(2026, 0, 1);
const at = (ms: number) => new Date(NOW + ms);
const row = (columns: Partial<RouteRow>): RouteRow => ({
  id: 1,
  destination: "meta",
  route: "111",
  pausedAt: null,
  pausedReason: null,
  pausedBy: null,
  throttledUntil: null,
  openUntil: null,
  failures: 0,
  throttles: 0,
  unexplained: 0,
  updatedAt: at(0),
  ...columns,
});

test.each([
  ["nothing known of it", undefined, null, null],
  ["its pixel told to slow down, though nothing is known of it", undefined, 60_000, ["throttled", 60_000, 0]],
  ["its pixel's rest over", row({}), -1, null],
  ["resting after failures", row({ openUntil: at(1_000), failures: 5 }), -1, ["resting", 1_000, 5]],
  ["its rest over", row({ openUntil: at(-1), failures: 5 }), null, null],
  ["a rest longer than any, by a clock that leapt", row({ openUntil: at(LONGEST_OPEN_MS + 1) }), null, null],
  ["slowed down and resting", row({ openUntil: at(1_000) }), 2_000, ["throttled", 2_000, 0]],
  ["paused, whatever else", row({ pausedAt: at(-5), openUntil: at(1_000) }), 2_000, ["paused", null, 0]],
])("what holds a route up: %s", (_, route, throttledMs, held) => {
  const hold = holdOf(route, throttledMs === null ? null : at(throttledMs), NOW);
  const untilMs = hold?.until ? Date.parse(hold.until) - NOW : null;
  const found: unknown = hold && [hold.state, untilMs, hold.failures];
  expect(found).toEqual(held);
});
