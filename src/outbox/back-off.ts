const BASE_MS = 2_000;
const CAP_MS = 3_600_000;

/**
 * How long a row waits after its n-th failed attempt: exponential with full jitter, anywhere between half a
 * second and min(2 s · 2^(n-1), 1 h). The ceilings run 2 s, 4 s, 8 s … 34 min, 1 h, 1 h …; a row is never given
 * up for the number of its attempts, only for its age.
 *
 * @param attempts how often it was tried, from 1
 * @param random uniform in [0, 1)
 */
export function backOffMs(attempts: number, random: number): number {
  const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempts - 1, 30));
  return Math.round(500 + random * (ceiling - 500));
}

/** Failures in a row that open a route's breaker. */
export const BREAKER_THRESHOLD = 5;
const BREAKER_BASE_MS = 1_000;
const BREAKER_CAP_MS = 60_000;

/** How long a route rests after its n-th failed request in a row; 0 while its breaker stays closed. */
export function breakerRestMs(failures: number): number {
  if (failures < BREAKER_THRESHOLD) return 0;
  return Math.min(BREAKER_CAP_MS, BREAKER_BASE_MS * 2 ** Math.min(failures - BREAKER_THRESHOLD, 20));
}
