/** After so many tries in vain a row is sent alone. */
export const ALONE_AFTER = 13;
/** So many times rows that fail are simply tried again. */
const WHOLE_TRIES = 4;

/**
 * How many rows may go in one request with one that was tried in vain so often: any number at first, then half as many
 * after each try, 512, 256 … 1. So an event for which others fail, and a batch that is too long to arrive in time, hold
 * nobody up for long; and that takes so many tries of the same rows that an outage, with its few probes, does not come
 * there with many.
 */
export function mostTogether(attempts: number): number {
  return attempts < WHOLE_TRIES ? Number.POSITIVE_INFINITY : Math.max(1, 2 ** (ALONE_AFTER - attempts));
}

interface Tried {
  readonly attempts: number;
}

/** Of due rows, in the order of their turn, those that go in one request: the first one, and others that may go with as many. */
export function goingTogether<R extends Tried>(due: readonly R[], limit: number): R[] {
  const most = mostTogether(due[0]?.attempts ?? 0);
  return due.filter(({ attempts }) => mostTogether(attempts) === most).slice(0, Math.min(most, limit));
}

/** The same where it is asked whether the route works at all: those go that are the least likely to be what fails. */
export function goingAsProbe<R extends Tried>(due: readonly R[], limit: number): R[] {
  return goingTogether(
    due.toSorted((a, b) => a.attempts - b.attempts),
    limit,
  );
}
