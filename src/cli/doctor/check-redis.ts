import type { Config } from "../../config.ts";
import { bad, type Finding, good } from "./finding.ts";

const TIMEOUT_MS = 10_000;

/** Whether Redis answers, where one is configured. */
export async function checkRedis({ redisUrl }: Config): Promise<Finding> {
  if (redisUrl === undefined) return good("redis", "not used");
  const { Redis } = await import("ioredis");
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = "";
  redis.on("error", (error) => {
    reason = error.message;
  });
  try {
    await redis.connect();
    const startedMs = performance.now();
    await redis.ping();
    return good("redis", `answers in ${(performance.now() - startedMs).toFixed(1)} ms`);
  } catch (error) {
    const text = reason || String(error);
    return bad(
      "redis",
      text,
      "Start Redis, or correct REDIS_URL. Until then each process has a rate limit of its own, and no copy of a visit is kept.",
    );
  } finally {
    redis.disconnect();
  }
}
