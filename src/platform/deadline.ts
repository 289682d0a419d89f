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

/**
 * Waits for the work until `signal` is aborted; the work itself goes on, so it must bear that.
 * @throws the signal's reason
 */
export async function unlessAborted<T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  // It is raced all the same: else nobody would hear what the work fails with.
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
