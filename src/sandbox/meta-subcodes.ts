/**
 * `error_subcode` values of a refused event. Reported by users of the real API: too old 2804003, value 2804009,
 * currency 2804010, not hashed 2804016, insufficient 2804050. Meta publishes no table, so the others are this
 * sandbox's choice from Meta's event-content range; a sender must not tell them apart.
 */
export const META_SUBCODES = {
  malformed: 2804001,
  tooOld: 2804003,
  inFuture: 2804004,
  badTime: 2804007,
  value: 2804009,
  currency: 2804010,
  notHashed: 2804016,
  badParameter: 2804017,
  actionSource: 2804019,
  unexpectedKey: 2804048,
  insufficientUserData: 2804050,
} as const;

/** Why one event (or the whole request) is refused, before its place in the request is known. */
export interface EventProblem {
  readonly subcode: (typeof META_SUBCODES)[keyof typeof META_SUBCODES];
  readonly title: string;
  readonly detail: string;
}

/** Builds an {@link EventProblem}. */
export function problem(subcode: EventProblem["subcode"], title: string, detail: string): EventProblem {
  return { subcode, title, detail };
}
