import type { Redis } from "ioredis";

/**
 * Counts of one window of time, in this process: the next window, or `mostKeys` in one, begins all of them anew, which
 * bounds the memory under a flood.
 */
export function createWindowCounts(mostKeys: number) {
  let counts = new Map<string, number>();
  let currentWindow = 0;
  return {
    /** Adds to a key's count, which is never below 0, and answers with it. */
    add(key: string, windowStartMs: number, by = 1): number {
      if (windowStartMs !== currentWindow || counts.size >= mostKeys) {
        counts = new Map();
        currentWindow = windowStartMs;
      }
      const count = Math.max(0, (counts.get(key) ?? 0) + by);
      counts.set(key, count);
      return count;
    },
    /** Makes a key's count at least `least`, where it is counted in this window at all. */
    raise(key: string, windowStartMs: number, least: number): void {
      const count = windowStartMs === currentWindow ? counts.get(key) : undefined;
      if (count !== undefined && count < least) counts.set(key, least);
    },
    of(key: string, windowStartMs: number): number {
      return windowStartMs === currentWindow ? (counts.get(key) ?? 0) : 0;
    },
  };
}

/** Adds one in Redis, for all processes, where `key` names the window too; null whenever Redis does not answer in time. */
export async function countInRedis(redis: Redis, key: string, keptMs: number): Promise<number | null> {
  try {
    const [counted] = (await redis.pipeline().incr(key).pexpire(key, keptMs).exec()) ?? [];
    return typeof counted?.[1] === "number" ? counted[1] : null;
  } catch {
    // Redis being away is logged once, by the connection; this process's own count decides.
    return null;
  }
}
