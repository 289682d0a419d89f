import { HOUR_MS } from "../platform/durations.ts";

const BASE_MS = 2_000;
/** The longest wait after a failure. */
export const LONGEST_BACK_OFF_MS = HOUR_MS;
const LEAST_MS = 500;

/**
 * How long a row waits after its n-th failed attempt: exponential with full jitter, anywhere between half a
 * second and min(2 s · 2^(n-1), 1 h). The ceilings run 2 s, 4 s, 8 s … 34 min, 1 h, 1 h …; a row is never given
 * up for the number of its attempts, only for its age.
 *
 * @param attempts how often it was tried, from 1
 * @param random uniform in [0, 1); rows that failed together share it, so that they stay together
 */
export function backOffMs(attempts: number, random: number): number {
  return Math.round(LEAST_MS + random * (backOffCeilingMs(attempts) - LEAST_MS));
}

/** The longest wait after the n-th failed attempt. */
export function backOffCeilingMs(attempts: number): number {
  return Math.min(LONGEST_BACK_OFF_MS, BASE_MS * 2 ** Math.min(Math.max(attempts, 1) - 1, 30));
}

/** The attempt after which, and after all later ones, the longest wait is the same. */
export const HIGHEST_CEILING_AT = 1 + Math.ceil(Math.log2(LONGEST_BACK_OFF_MS / BASE_MS));

/** Failures in a row that open a route's breaker. */
export const BREAKER_THRESHOLD = 5;
const BREAKER_BASE_MS = 1_000;
const BREAKER_CAP_MS = 60_000;
/** No rest and no probe lasts as long: what is to end later was written by a clock that was ahead, and is over. */
export const LONGEST_OPEN_MS = 2 * BREAKER_CAP_MS;

/** How long a route rests after its n-th failed request in a row; 0 while its breaker stays closed. */
export function breakerRestMs(failures: number): number {
  if (failures < BREAKER_THRESHOLD) return 0;
  return Math.min(BREAKER_CAP_MS, BREAKER_BASE_MS * 2 ** Math.min(failures - BREAKER_THRESHOLD, 20));
}

const THROTTLE_MS = 60_000;
const THROTTLE_LEAST_MS = 1_000;
/** No other side is heeded for more than a day: a longer pause was written by a clock that was ahead, and is over. */
export const LONGEST_THROTTLE_MS = 25 * HOUR_MS;

/**
 * How long a route is left alone at the n-th answer in a row that asked it to slow down: for as long as it was asked
 * to, a minute where it was not told how long. Never less than a second, doubling up to a minute: "at once", heeded
 * again and again, would be a hot loop.
 */
export function throttleRestMs(throttles: number, askedMs: number | null): number {
  const leastMs = Math.min(THROTTLE_MS, THROTTLE_LEAST_MS * 2 ** Math.min(Math.max(throttles, 1) - 1, 20));
  return Math.max(askedMs ?? THROTTLE_MS, leastMs);
}
