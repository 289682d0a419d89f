import { Redis } from "ioredis";
import type { Log } from "./log.ts";
import { createOutage } from "./outage.ts";

/** How long anything waits for Redis before going on without it. */
const REDIS_TIMEOUT_MS = 50;

/** A connection on which nothing comes back for so long is given up: what was sent on it piles up in memory. */
const SILENCE_MS = 1_000;

/**
 * Connects to Redis in the background. Commands fail at once while it is away and after `REDIS_TIMEOUT_MS` when
 * it is slow: Redis is a convenience here, never something that a visitor waits for.
 */
export function connectRedis(url: string, log: Log): Redis {
  const redis = new Redis(url, {
    commandTimeout: REDIS_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    retryStrategy: (times) => Math.min(times * 100, 2_000),
  });
  const outage = createOutage(log, { failed: "Redis is away; going on without it", worked: "Redis is back" });
  redis.on("error", (error) => outage.failed({ error }));
  redis.on("ready", () => outage.worked());
  return redis;
}
