import { DAY_MS, HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import { bucketStart } from "../rollups/bucket.ts";

/** The longest range that is read in one go. */
export const LONGEST_MS = 92 * DAY_MS;
/** Longer ones are told by the hour; minutes are kept for three days. */
const LONGEST_BY_MINUTE_MS = 25 * HOUR_MS;
const MINUTES_REACH_BACK_MS = 60 * HOUR_MS;

/** A range of time. Unix milliseconds; `toMs` is not part of it. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
  /** How finely deliveries are told. */
  readonly unit: "minute" | "hour";
}

/** Where a range up to now ends: the minute that has begun is part of it, so that what happens now shows now. Pure. */
export function endOfThisMinute(nowMs: number): number {
  return bucketStart(nowMs, MINUTE_MS) + MINUTE_MS;
}

/** How finely deliveries between those instants can be told. Pure. */
export function unitOf(fromMs: number, toMs: number, nowMs: number): TimeRange["unit"] {
  const isShort = toMs - fromMs <= LONGEST_BY_MINUTE_MS;
  return isShort && nowMs - fromMs <= MINUTES_REACH_BACK_MS ? "minute" : "hour";
}
