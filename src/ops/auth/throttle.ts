import type { Redis } from "ioredis";
import { MINUTE_MS } from "../../platform/durations.ts";
import { networkOf } from "../../platform/network.ts";
import { countInRedis, createWindowCounts } from "../../platform/window-counts.ts";

/** Attempts are counted in windows of this length. */
const WINDOW_MS = 15 * MINUTE_MS;
const MOST_PER_CLIENT = 10;
/** Altogether, from browsers in which nobody ever logged in: a botnet has many addresses. */
const MOST_FROM_STRANGERS = 100;
/** Addresses counted in one process before all are forgotten: bounds the memory under a flood. */
const MOST_ADDRESSES = 50_000;

const EVERYBODY = "strangers";
const ADDRESS = "address:";

type Attempt =
  | { readonly kind: "allowed" }
  | { readonly kind: "throttled"; readonly retryAfterSeconds: number };

/** Who tries: a browser that was logged in before is known by its cookie and has a count of its own. */
export interface Client {
  readonly device: string | null;
  readonly address: string;
}

export interface LoginThrottle {
  /** Counts an attempt before its password is looked at, so that many at once are no way round it. */
  attempt(client: Client, nowMs: number): Promise<Attempt>;
  /** The attempt was good: it and those before it do not count. */
  succeeded(client: Client, nowMs: number): Promise<void>;
}

/**
 * So many attempts per client and, for strangers, altogether, in a quarter of an hour. Shared through Redis where
 * there is one; whenever that gives no answer in time, this process's own count decides.
 */
export function createLoginThrottle(redis: Redis | undefined): LoginThrottle {
  const addresses = createWindowCounts(MOST_ADDRESSES);
  // Apart, so that no flood of addresses makes them forgotten: all strangers' count, and those of devices, which are few.
  const others = createWindowCounts(Number.POSITIVE_INFINITY);
  const addHere = (key: string, window: number, by = 1) =>
    (key.startsWith(ADDRESS) ? addresses : others).add(key, window, by);

  async function count(key: string, window: number): Promise<number> {
    const here = addHere(key, window);
    const everywhere = redis && (await countInRedis(redis, redisKey(key, window), WINDOW_MS));
    return Math.max(here, everywhere ?? 0);
  }

  return {
    async attempt(client, nowMs) {
      const window = nowMs - (nowMs % WINDOW_MS);
      const isAllowed =
        (await count(keyOf(client), window)) <= MOST_PER_CLIENT &&
        // Only what got this far counts for all: one address alone must not lock everybody out.
        (client.device !== null || (await count(EVERYBODY, window)) <= MOST_FROM_STRANGERS);
      if (isAllowed) return { kind: "allowed" };
      return { kind: "throttled", retryAfterSeconds: Math.ceil((window + WINDOW_MS - nowMs) / 1_000) };
    },
    async succeeded(client, nowMs) {
      const window = nowMs - (nowMs % WINDOW_MS);
      const key = keyOf(client);
      addHere(key, window, -MOST_PER_CLIENT);
      if (client.device === null) addHere(EVERYBODY, window, -1);
      if (!redis) return;
      const forget = redis.pipeline().del(redisKey(key, window));
      const everybody = redisKey(EVERYBODY, window);
      // A Redis that was away at the attempt makes the count with this, and would keep it for ever.
      if (client.device === null) forget.decr(everybody).pexpire(everybody, WINDOW_MS);
      // Redis being away is logged by the connection; the count that it keeps ends with its window.
      await forget.exec().catch(() => undefined);
    },
  };
}

function redisKey(key: string, window: number): string {
  return `ponte:login:${window}:${key}`;
}

function keyOf({ device, address }: Client): string {
  return device === null ? ADDRESS + networkOf(address) : `device:${device}`;
}
