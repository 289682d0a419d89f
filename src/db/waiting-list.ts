/** The queue is full: the database does not keep up. The caller answers 503. */
export class QueueFullError extends Error {
  constructor(limit: number) {
    super(`${limit} rows already wait for the database`);
    this.name = "QueueFullError";
  }
}

/** The database takes too long over those before: nothing was written of it. */
class OverdueError extends Error {
  override readonly name = "OverdueError";
}

/** An item that waits to be written, and who waits for that. */
export interface Waiting<T> {
  readonly item: T;
  readonly sinceMs: number;
  resolve(): void;
  reject(error: unknown): void;
}

interface WaitingList<T> {
  readonly length: number;
  /** Resolves or rejects as whoever takes the item says. @throws QueueFullError where as many wait already as may */
  add(item: T): Promise<void>;
  /** Takes those that have waited longest. */
  take(count: number): Waiting<T>[];
  /** Fails all that wait. */
  failAll(error: unknown): void;
  /** Fails those that have waited for too long. */
  failOverdue(): void;
}

/**
 * Items that wait to be written, in the order in which they came.
 *
 * @param limit as many may wait at once
 * @param maxWaitMs as long is not too long yet
 */
export function createWaitingList<T>(limit: number, maxWaitMs: number): WaitingList<T> {
  let waiting: Waiting<T>[] = [];

  function take(count: number): Waiting<T>[] {
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  }

  function fail(count: number, error: unknown): void {
    for (const { reject } of take(count)) reject(error);
  }

  return {
    get length() {
      return waiting.length;
    },
    add(item) {
      if (waiting.length >= limit) return Promise.reject(new QueueFullError(limit));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ item, sinceMs: performance.now(), resolve, reject });
      return promise;
    },
    take,
    failAll: (error) => fail(waiting.length, error),
    failOverdue() {
      const inTimeSinceMs = performance.now() - maxWaitMs;
      const firstInTime = waiting.findIndex(({ sinceMs }) => sinceMs >= inTimeSinceMs);
      const overdue = firstInTime < 0 ? waiting.length : firstInTime;
      if (overdue === 0) return;
      fail(overdue, new OverdueError(`what came before took the database ${maxWaitMs} ms and longer`));
    },
  };
}
