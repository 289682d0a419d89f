import type { Destination } from "../db/vocabulary.ts";

/** What is sent together and fails together: a pixel or its test code at Meta, a bot or its provider at Telegram. */
export interface RouteKey {
  readonly destination: Destination;
  readonly route: string;
}

/** Between a pixel or a bot and its lane. */
export const LANE_MARK = "/";

/** The pixel or the bot, and its lane where it has several: `<account>` or `<account>/<lane>`. */
export function formatRoute(account: string | number, lane: string | null): string {
  return lane ? `${account}${LANE_MARK}${lane}` : String(account);
}

/** The same, read back. */
export function parseRoute(route: string): { readonly account: string; readonly lane: string | null } {
  const mark = route.indexOf(LANE_MARK);
  if (mark < 0) return { account: route, lane: null };
  return { account: route.slice(0, mark), lane: route.slice(mark + 1) };
}

/** A route's name among all destinations. */
export function routeName({ destination, route }: RouteKey): string {
  return `${destination} ${route}`;
}

/** How often in a row a route had the same trouble, when it was last read. */
export interface Standing {
  /** Requests that failed. */
  readonly failures: number;
  /** Answers that asked to slow down. */
  readonly throttles: number;
  /** Refusals that nothing in the events explained. */
  readonly unexplained: number;
}

/**
 * The pixel or the bot of a route. Whoever asks us to slow down means all that we send for it, so that is written there,
 * and every lane rests: for `waitingRoutes`, and for whoever looks at it or resumes it.
 */
export function accountOf({ destination, route }: RouteKey): RouteKey {
  return { destination, route: parseRoute(route).account };
}
