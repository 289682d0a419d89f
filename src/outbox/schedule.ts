import { BREAKER_THRESHOLD } from "./back-off.ts";
import type { RouteKey } from "./routes.ts";
import type { WaitingRoute } from "./waiting-routes.ts";

/** Requests under way at once: of one route, and altogether. */
export interface Limits {
  readonly perRoute: number;
  readonly altogether: number;
}

/** What a dispatcher has under way, and whose turn was when. */
export interface Workload {
  /** Requests under way, by `routeName`. */
  readonly inFlight: ReadonlyMap<string, number>;
  /** Of those, how many are of routes that failed last time. */
  readonly troubled: number;
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
 * it: neither a pixel with a million rows nor some that hang can keep the others waiting for more than a batch. Pure.
 */
export function nextTurns(
  waiting: readonly WaitingRoute[],
  { inFlight, troubled, lastServed }: Workload,
  { perRoute, altogether }: Limits,
): WaitingRoute[] {
  const servedAt = (route: WaitingRoute) => lastServed.get(routeName(route)) ?? 0;
  const due = waiting.filter(({ dueInMs }) => dueInMs <= 0).sort((a, b) => servedAt(a) - servedAt(b));
  const counts = new Map(inFlight);
  let running = [...inFlight.values()].reduce((sum, n) => sum + n, 0);
  let inTrouble = troubled;
  const turns: WaitingRoute[] = [];
  const half = Math.ceil(altogether / 2);

  for (let round = 1; round <= perRoute; round++) {
    for (const route of due) {
      const isTroubled = route.failures > 0;
      const have = counts.get(routeName(route)) ?? 0;
      if (have >= (isTroubled ? 1 : round)) continue;
      if (running >= (have === 0 ? altogether : half)) continue;
      if (isTroubled && inTrouble >= half) continue;
      turns.push(route);
      counts.set(routeName(route), have + 1);
      running++;
      if (isTroubled) inTrouble++;
    }
  }
  return turns;
}
