export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** The beginning of the minute, hour … that an instant lies in. Both in Unix milliseconds. */
export function bucketStart(atMs: number, widthMs: number): number {
  return Math.floor(atMs / widthMs) * widthMs;
}

/** So much of a token tells its time to about a minute (the upper 32 of 48 bits): few enough to list. */
export const TOKEN_HEAD = 8;
const HEAD_MS = 2 ** 16;

/** The hours that tokens with that beginning can lie in, in Unix milliseconds. */
export function hoursOfHead(head: string): readonly number[] {
  const fromMs = Number.parseInt(head, 16) * HEAD_MS;
  if (!Number.isSafeInteger(fromMs)) return [];
  return [...new Set([bucketStart(fromMs, HOUR_MS), bucketStart(fromMs + HEAD_MS - 1, HOUR_MS)])];
}
