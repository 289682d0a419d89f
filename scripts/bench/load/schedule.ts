/** When requests are due, in milliseconds since the start: one after the other, evenly, whatever is answered. */
export function dueMs(request: number, ratePerSecond: number): number {
  return (request * 1_000) / ratePerSecond;
}

/** How many requests were due by `elapsedMs`, the first one at 0. */
export function dueCount(elapsedMs: number, ratePerSecond: number): number {
  return elapsedMs < 0 ? 0 : Math.floor((elapsedMs * ratePerSecond) / 1_000) + 1;
}
