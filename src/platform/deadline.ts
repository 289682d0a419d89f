/**
 * How long somebody who sends again waits to be told so, when the database hangs: less than payment providers and
 * browsers wait for an answer.
 */
export const ANSWER_DEADLINE_MS = 5_000;

/** @throws Error when the work takes longer; the work itself goes on, so it must bear that. `what` names who did not answer. */
export async function withDeadline<T>(work: PromiseLike<T>, ms: number, what = "the database"): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} did not answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
