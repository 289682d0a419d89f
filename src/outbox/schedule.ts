import { DESTINATIONS, type Destination } from "../db/vocabulary.ts";
import { BREAKER_THRESHOLD } from "./back-off.ts";
import { routeName } from "./routes.ts";
import type { WaitingRoute } from "./waiting-routes.ts";

/** Requests under way at once: of one route, and altogether, those that hang apart. */
export interface Limits {
  readonly perRoute: number;
  readonly altogether: number;
}

/** A request that takes longer than this is taken for one that hangs. */
const SLOW_MS = 2_000;

/** A batch under way, by the process's own clock. */
export interface RunningBatch {
  readonly route: WaitingRoute;
  readonly startedMs: number;
  /** Its rows are still being taken. */
  readonly isClaiming: boolean;
}

/** What a dispatcher has under way of one route. */
export interface UnderWay {
  readonly destination: Destination;
  readonly requests: number;
  /** Of those, how many take longer than `SLOW_MS`. */
  readonly slow: number;
  /** Of those, one is still taking its rows: whether it leaves any is not known yet. */
  readonly isClaiming: boolean;
  readonly isTroubled: boolean;
}

/** What is under way of each route, by `routeName`. Pure. */
export function underWayOf(batches: Iterable<RunningBatch>, nowMs: number): Map<string, UnderWay> {
  const byRoute = new Map<string, UnderWay>();
  for (const { route, startedMs, isClaiming } of batches) {
    const others = byRoute.get(routeName(route));
    byRoute.set(routeName(route), {
      destination: route.destination,
      requests: (others?.requests ?? 0) + 1,
      slow: (others?.slow ?? 0) + (nowMs - startedMs > SLOW_MS ? 1 : 0),
      isClaiming: isClaiming || (others?.isClaiming ?? false),
      isTroubled: route.failures > 0 || (others?.isTroubled ?? false),
    });
  }
  return byRoute;
}

/** What a dispatcher has under way, and whose turn was when. */
interface Workload {
  /** By `routeName`. */
  readonly underWay: ReadonlyMap<string, UnderWay>;
  /** Rising numbers, by `routeName`: who was served when. */
  readonly lastServed: ReadonlyMap<string, number>;
}

/** Its breaker has opened: one small batch at a time, until one gets through. */
export function isProbe({ failures }: WaitingRoute): boolean {
  return failures >= BREAKER_THRESHOLD;
}

/**
 * Slots that are taken. Requests that hang give theirs up to others, as many as there are slots: a time-out is long,
 * and all may hang at once.
 */
export function slotsTaken(underWay: Iterable<UnderWay>, { altogether }: Limits): number {
  let running = 0;
  let slow = 0;
  for (const route of underWay) {
    running += route.requests - route.slow;
    slow += route.slow;
  }
  return running + Math.max(0, slow - altogether);
}

/**
 * Which due routes send a batch now, in this order. Each gets one at a time in turn, the one served longest ago
 * first; a second one only while half of the capacity is free, and routes in trouble never have more than half of
 * it: neither a pixel with a million rows nor some that hang can keep the others waiting for more than a batch. A
 * quarter is kept for the other destination. Who is still taking rows is passed over: two takers would share between
 * two requests what fits into one. Pure.
 */
export function nextTurns(
  waiting: readonly WaitingRoute[],
  { underWay, lastServed }: Workload,
  limits: Limits,
): WaitingRoute[] {
  const { perRoute, altogether } = limits;
  const half = Math.ceil(altogether / 2);
  const perDestination = altogether - Math.floor(altogether / 4);
  const byDestination = Map.groupBy(underWay.values(), ({ destination }) => destination);
  const taken = new Map(
    DESTINATIONS.map((name) => [name, slotsTaken(byDestination.get(name) ?? [], limits)]),
  );
  let running = slotsTaken(underWay.values(), limits);
  let inTrouble = 0;
  for (const { requests, slow, isTroubled } of underWay.values()) {
    if (isTroubled || slow > 0) inTrouble += requests;
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
    const isTroubled = route.failures > 0 || (have?.slow ?? 0) > 0;
    const ofDestination = taken.get(route.destination) ?? 0;
    if (have?.isClaiming) continue;
    if (have && have.requests >= (isTroubled ? 1 : perRoute)) continue;
    if (running >= (have ? half : altogether) || ofDestination >= perDestination) continue;
    if (isTroubled && inTrouble >= half) continue;
    turns.push(route);
    running++;
    taken.set(route.destination, ofDestination + 1);
    if (isTroubled) inTrouble++;
  }
  return turns;
}
