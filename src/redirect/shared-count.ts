import type { Redis } from "ioredis";
import { countInRedis } from "../platform/window-counts.ts";
import type { SharedCount } from "./rate-limit.ts";

const TWO_HOURS_MS = 7_200_000;

/** Counts a visitor's requests in Redis, for all processes. */
export function redisSharedCount(redis: Redis): SharedCount {
  return (visitor, hourStartMs) => countInRedis(redis, `ponte:rate:${hourStartMs}:${visitor}`, TWO_HOURS_MS);
}
