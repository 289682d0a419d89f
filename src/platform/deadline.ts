/** Whoever was asked did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** @throws DeadlineError when the work takes longer; the work itself goes on, so it must bear that. `what` names who did not answer. */
export async function withDeadline<T>(work: PromiseLike<T>, ms: number, what = "the database"): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeadlineError(`${what} did not answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
