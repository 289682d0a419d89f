import { z } from "zod";
import { parseJson } from "../platform/json.ts";

/**
 * How far a table has been looked through, by row number. On Postgres a row's number is given before it is
 * committed, so rows show up out of order: each is looked at again until a look began `SETTLE_MS` after its number was
 * the newest.
 */
interface Watermark {
  /** Up to this number all has been looked at; the next look begins after it. */
  readonly settled: number;
  readonly newest: number;
  readonly newestAtMs: number;
}

/** No transaction of ours takes as long from giving a row its number to its commit. */
const SETTLE_MS = 30_000;

const watermark = z.object({ settled: z.number(), newest: z.number(), newestAtMs: z.number() });
const watermarksSchema = z.object({
  sessions: watermark,
  funnelStates: watermark,
  outboxAttempts: watermark,
});

export type Watermarks = z.output<typeof watermarksSchema>;

const UNSEEN: Watermark = { settled: 0, newest: 0, newestAtMs: 0 };
export const NO_WATERMARKS: Watermarks = { sessions: UNSEEN, funnelStates: UNSEEN, outboxAttempts: UNSEEN };

/** What `settings` keeps; anything else means: begin again, which does no harm. */
export function readWatermarks(progress: string): Watermarks {
  const parsed = watermarksSchema.safeParse(parseJson(progress));
  return parsed.success ? parsed.data : NO_WATERMARKS;
}

const countedSchema = z.object({ countedAtMs: z.number() });

/** What `settings` keeps after a count that began at `countedAtMs` and came to its end. */
export function progressText(watermarks: Watermarks, countedAtMs: number): string {
  return JSON.stringify({ ...watermarks, countedAtMs });
}

/** When the last such count began; null before the first one. */
export function readCountedAt(progress: string): Date | null {
  const parsed = countedSchema.safeParse(parseJson(progress));
  return parsed.success ? new Date(parsed.data.countedAtMs) : null;
}

/** The watermark after a look that began at `nowMs`, when the newest row was `newestId`. Pure. */
export function advance(before: Watermark, newestId: number, nowMs: number): Watermark {
  // A watermark of the future was made by a clock that was ahead: it does not wait for that time.
  if (Math.abs(nowMs - before.newestAtMs) < SETTLE_MS) return before;
  return { settled: before.newest, newest: Math.max(before.newest, newestId), newestAtMs: nowMs };
}
