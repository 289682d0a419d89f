import { unlessAborted } from "../platform/deadline.ts";

/** The share of the time that counting may take: visitors go first, above all where reads hold up the process. */
const SHARE = 0.2;
const SHORTEST_PAUSE_MS = 2;

/**
 * Runs pieces of work one after another with rests between them, longer after longer pieces.
 *
 * @throws the signal's reason, instead of beginning a piece or resting, once it is aborted
 */
export type Throttle = <T>(work: () => Promise<T>) => Promise<T>;

/** A throttle that ends when `signal` is aborted. */
export function createThrottle(signal: AbortSignal): Throttle {
  return async (work) => {
    signal.throwIfAborted();
    const startedMs = performance.now();
    const result = await work();
    const tookMs = performance.now() - startedMs;
    const pauseMs = Math.max(SHORTEST_PAUSE_MS, tookMs * (1 / SHARE - 1));
    await unlessAborted(Bun.sleep(pauseMs), signal);
    return result;
  };
}
