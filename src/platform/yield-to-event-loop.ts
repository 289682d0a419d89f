/**
 * Lets everybody else have a turn: on SQLite an awaited read returns without ever leaving the process, and visitors
 * would wait for all the reads of a page together.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
