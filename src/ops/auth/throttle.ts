import type { Redis } from "ioredis";
import { networkOf } from "../../platform/network.ts";

/** Attempts are counted in windows of this length. */
const WINDOW_MS = 15 * 60_000;
const MOST_PER_CLIENT = 10;
/** Altogether, from browsers in which nobody ever logged in: a botnet has many addresses. */
const MOST_FROM_STRANGERS = 100;
/** Addresses counted in one process before all are forgotten: bounds the memory under a flood. */
const MOST_ADDRESSES = 50_000;

const EVERYBODY = "strangers";
const ADDRESS = "address:";

export type Attempt =
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
  let addresses = new Map<string, number>();
  // Apart, so that no flood of addresses makes them forgotten: all strangers' count, and those of devices, which are few.
  let others = new Map<string, number>();
  let currentWindow = 0;

  function addHere(key: string, window: number, by: number): number {
    if (window !== currentWindow) others = new Map();
    if (window !== currentWindow || addresses.size >= MOST_ADDRESSES) addresses = new Map();
    currentWindow = window;
    const counts = key.startsWith(ADDRESS) ? addresses : others;
    const count = Math.max(0, (counts.get(key) ?? 0) + by);
    counts.set(key, count);
    return count;
  }

  async function count(key: string, window: number): Promise<number> {
    const here = addHere(key, window, 1);
    if (!redis) return here;
    const name = redisKey(key, window);
    try {
      const [counted] = (await redis.pipeline().incr(name).pexpire(name, WINDOW_MS).exec()) ?? [];
      return Math.max(here, typeof counted?.[1] === "number" ? counted[1] : 0);
    } catch {
      // Redis being away is logged once, by the connection.
      return here;
    }
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
      if (client.device === null) forget.decr(redisKey(EVERYBODY, window));
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
