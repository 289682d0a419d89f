/** A row that failed so often is sent alone. */
export const ALONE_AFTER = 13;
/** Rows that failed less often share a request with any number of others. */
const WHOLE_TRIES = 4;

/**
 * How many rows may share a request with one that failed so often: any number at first, then 512, 256 … 1, half as many
 * after each further failure. So a row that makes its whole request fail, or a request too large to be answered in time,
 * soon holds nobody else up. An outage seldom gets rows that far, since only a few of them are tried while it lasts.
 */
export function maxBatchFor(attempts: number): number {
  return attempts < WHOLE_TRIES ? Number.POSITIVE_INFINITY : Math.max(1, 2 ** (ALONE_AFTER - attempts));
}

interface Tried {
  readonly attempts: number;
}

/** Of due rows, the longest due first, those that go in one request: the first, and those that may share it with as many. */
export function pickBatch<R extends Tried>(due: readonly R[], limit: number): R[] {
  const most = maxBatchFor(due[0]?.attempts ?? 0);
  return due.filter(({ attempts }) => maxBatchFor(attempts) === most).slice(0, Math.min(most, limit));
}

/** The same for a probe, which asks whether the route works at all: with the rows that failed least often. */
export function pickProbe<R extends Tried>(due: readonly R[], limit: number): R[] {
  return pickBatch(
    due.toSorted((a, b) => a.attempts - b.attempts),
    limit,
  );
}
