/** Whoever was asked did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/**
 * Waits for the work no longer than `ms`; the work itself goes on, so it must bear that.
 * @param what who did not answer, for the error
 * @throws DeadlineError when it takes longer
 */
export async function withDeadline<T>(work: PromiseLike<T>, ms: number, what = "the database"): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeadlineError(`${what} did not answer within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
