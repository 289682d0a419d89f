import { HOUR_MS } from "../platform/durations.ts";
import { networkOf } from "../platform/network.ts";
import { createWindowCounts } from "../platform/window-counts.ts";

/** Visitors counted in one process before all are counted anew: bounds the memory under a flood. */
const MAX_ADDRESSES = 200_000;

export type RateVerdict =
  | { readonly kind: "allowed" }
  | { readonly kind: "limited"; readonly retryAfterSeconds: number };

const ALLOWED: RateVerdict = { kind: "allowed" };

/** Counts a request of `visitor` in the hour that `hourStartMs` begins, for all processes; null where it cannot. */
export type SharedCount = (visitor: string, hourStartMs: number) => Promise<number | null>;

export interface RateLimiter {
  check(address: string, nowMs: number): RateVerdict | Promise<RateVerdict>;
  /** What `check` would say by this process's own count and the last that it heard of the shared one; counts nothing. */
  peek(address: string, nowMs: number): RateVerdict;
}

/**
 * So many requests an hour and visitor (see `networkOf`), counted in fixed hours. With a shared counter (Redis)
 * the limit holds for all processes together; whenever that gives no answer in time, this process's own count decides,
 * which rises to what the shared one says.
 */
export function createRateLimiter(limitPerHour: number, shared?: SharedCount): RateLimiter {
  const counts = createWindowCounts(MAX_ADDRESSES);

  function verdict(count: number, nowMs: number): RateVerdict {
    if (count <= limitPerHour) return ALLOWED;
    return { kind: "limited", retryAfterSeconds: Math.ceil((HOUR_MS - (nowMs % HOUR_MS)) / 1000) };
  }

  return {
    peek(address, nowMs) {
      return verdict(counts.of(networkOf(address), nowMs - (nowMs % HOUR_MS)) + 1, nowMs);
    },
    check(address, nowMs) {
      const hourStart = nowMs - (nowMs % HOUR_MS);
      const visitor = networkOf(address);
      const here = counts.add(visitor, hourStart);
      if (!shared) return verdict(here, nowMs);
      return shared(visitor, hourStart).then((everywhere) => {
        if (everywhere === null) return verdict(here, nowMs);
        counts.raise(visitor, hourStart, everywhere);
        return verdict(Math.max(here, everywhere), nowMs);
      });
    },
  };
}
