import type { Redis } from "ioredis";

/** Windows whose counts are kept: who was counted in one that just ended may still have something to add. */
const KEPT_WINDOWS = 2;

/**
 * Counts by key in windows of time, in this process: the latest window and the one before. A window that has `mostKeys`
 * keys begins anew, which bounds the memory under a flood.
 */
export function createWindowCounts(mostKeys: number) {
  /** By their windows' starts, in the order in which they were begun. */
  const windows = new Map<number, Map<string, number>>();

  function countsOf(windowStartMs: number): Map<string, number> {
    const known = windows.get(windowStartMs);
    if (known && known.size < mostKeys) return known;
    const counts = new Map<string, number>();
    windows.set(windowStartMs, counts);
    const [oldest] = windows.keys();
    if (windows.size > KEPT_WINDOWS && oldest !== undefined) windows.delete(oldest);
    return counts;
  }

  return {
    /** Adds to a key's count, which is never below 0, and answers with it. */
    add(key: string, windowStartMs: number, by = 1): number {
      const counts = countsOf(windowStartMs);
      const count = Math.max(0, (counts.get(key) ?? 0) + by);
      counts.set(key, count);
      return count;
    },
    /** Makes a key's count at least `least`, where it is counted in this window at all. */
    raise(key: string, windowStartMs: number, least: number): void {
      const counts = windows.get(windowStartMs);
      const count = counts?.get(key);
      if (count !== undefined && count < least) counts?.set(key, least);
    },
    of(key: string, windowStartMs: number): number {
      return windows.get(windowStartMs)?.get(key) ?? 0;
    },
  };
}

/** Adds one in Redis, for all processes, where `key` names the window too; null whenever Redis does not answer in time. */
export async function countInRedis(redis: Redis, key: string, keptMs: number): Promise<number | null> {
  try {
    const [counted] = (await redis.pipeline().incr(key).pexpire(key, keptMs).exec()) ?? [];
    return typeof counted?.[1] === "number" ? counted[1] : null;
  } catch {
    // Redis being away is logged by the connection; this process's own count decides.
    return null;
  }
}
