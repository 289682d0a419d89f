import type { Database } from "../db/database.ts";
import { HOUR_MS, MINUTE_MS } from "../platform/durations.ts";
import { bucketStart, type HourNews } from "./bucket.ts";
import { countFunnel } from "./count-funnel.ts";
import { type FunnelCount, sumUp } from "./funnel-tally.ts";
import type { Throttle } from "./throttle.ts";

/** What is older is hardly ever added to: a look goes through the last minute or two again (see `watermarks.ts`). */
const CALM_AFTER_MS = 5 * MINUTE_MS;
/** An hour with more counts than this, a flood of made-up campaigns, is not kept in memory. */
const MOST_KEPT = 20_000;

/** What an hour's first part came to. */
interface CalmPart {
  readonly untilMs: number;
  readonly counts: readonly FunnelCount[];
}

/**
 * Counts hours from their rows. Of the hours in hand it keeps what the calm part came to, and reads that again only
 * where something new lies in it: under much traffic an hour is too much to read every ten seconds. Whoever did not
 * see all news, because another process counted meanwhile, must `forget`.
 */
export function createHourCounter(db: Database) {
  const calmParts = new Map<number, CalmPart>();

  return {
    /** Everything in that hour, whose news since the last count begin at `fromMs`. */
    async count(
      { hourMs, fromMs }: HourNews,
      nowMs: number,
      throttle: Throttle,
    ): Promise<readonly FunnelCount[]> {
      const oldestMs = bucketStart(nowMs, HOUR_MS) - HOUR_MS;
      for (const [keptMs, { untilMs }] of calmParts) {
        if (keptMs < oldestMs || (keptMs === hourMs && untilMs > fromMs)) calmParts.delete(keptMs);
      }
      const toMs = hourMs + HOUR_MS;
      const calmMs = Math.min(toMs, bucketStart(nowMs - CALM_AFTER_MS, MINUTE_MS));
      let calm = calmParts.get(hourMs) ?? { untilMs: hourMs, counts: [] };
      if (calmMs > calm.untilMs) {
        const more = await countFunnel(db, { fromMs: calm.untilMs, toMs: calmMs }, throttle);
        calm = { untilMs: calmMs, counts: sumUp([...calm.counts, ...more]) };
        if (calm.counts.length <= MOST_KEPT) calmParts.set(hourMs, calm);
        else calmParts.delete(hourMs);
      }
      if (calm.untilMs === toMs) return calm.counts;
      const rest = await countFunnel(db, { fromMs: calm.untilMs, toMs }, throttle);
      return sumUp([...calm.counts, ...rest]);
    },
    forget(): void {
      calmParts.clear();
    },
  };
}
