import type { Redis } from "ioredis";
import type { SharedCount } from "./rate-limit.ts";

const TWO_HOURS_SECONDS = 7_200;

/** Counts a visitor's requests in Redis, for all processes; null whenever Redis does not answer in time. */
export function redisSharedCount(redis: Redis): SharedCount {
  return async (visitor, hourStartMs) => {
    const key = `ponte:rate:${hourStartMs}:${visitor}`;
    try {
      const [counted] = (await redis.pipeline().incr(key).expire(key, TWO_HOURS_SECONDS).exec()) ?? [];
      return typeof counted?.[1] === "number" ? counted[1] : null;
    } catch {
      // Redis being away is logged once, by the connection; this process's own count decides.
      return null;
    }
  };
}
