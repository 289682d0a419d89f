import { BREAKER_THRESHOLD } from "./back-off.ts";
import type { RouteKey } from "./routes.ts";
import type { WaitingRoute } from "./waiting-routes.ts";

/** Requests under way at once: of one route, and altogether. */
export interface Limits {
  readonly perRoute: number;
  readonly altogether: number;
}

/** What a dispatcher has under way of one route. */
export interface UnderWay {
  readonly requests: number;
  /** Of those, one is still taking its rows: whether it leaves any is not known yet. */
  readonly isClaiming: boolean;
  readonly isTroubled: boolean;
}

/** What a dispatcher has under way, and whose turn was when. */
export interface Workload {
  /** By `routeName`. */
  readonly underWay: ReadonlyMap<string, UnderWay>;
  /** Rising numbers, by `routeName`: who was served when. */
  readonly lastServed: ReadonlyMap<string, number>;
}

/** A route's name among all destinations. */
export function routeName({ destination, route }: RouteKey): string {
  return `${destination} ${route}`;
}

/** Its breaker has opened: one small batch at a time, until one gets through. */
export function isProbe({ failures }: WaitingRoute): boolean {
  return failures >= BREAKER_THRESHOLD;
}

/**
 * Which due routes send a batch now, in this order. Each gets one at a time in turn, the one served longest ago
 * first; a second one only while half of the capacity is free, and routes in trouble never have more than half of
 * it: neither a pixel with a million rows nor some that hang can keep the others waiting for more than a batch. Who
 * is still taking rows is passed over: two takers would share between two requests what fits into one. Pure.
 */
export function nextTurns(
  waiting: readonly WaitingRoute[],
  { underWay, lastServed }: Workload,
  { perRoute, altogether }: Limits,
): WaitingRoute[] {
  const half = Math.ceil(altogether / 2);
  let running = 0;
  let inTrouble = 0;
  for (const { requests, isTroubled } of underWay.values()) {
    running += requests;
    if (isTroubled) inTrouble += requests;
  }
  const turns: WaitingRoute[] = [];
  const candidates = waiting
    .filter(({ dueInMs }) => dueInMs <= 0)
    .map((route) => ({
      route,
      have: underWay.get(routeName(route)),
      servedAt: lastServed.get(routeName(route)) ?? 0,
    }))
    .sort((a, b) => (a.have?.requests ?? 0) - (b.have?.requests ?? 0) || a.servedAt - b.servedAt);

  for (const { route, have } of candidates) {
    const isTroubled = route.failures > 0;
    if (have?.isClaiming) continue;
    if (have && have.requests >= (isTroubled ? 1 : perRoute)) continue;
    if (running >= (have ? half : altogether)) continue;
    if (isTroubled && inTrouble >= half) continue;
    turns.push(route);
    running++;
    if (isTroubled) inTrouble++;
  }
  return turns;
}
