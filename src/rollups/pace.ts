/** The share of the time that counting may take: visitors go first, above all where reads hold up the process. */
const SHARE = 0.2;
const SHORTEST_PAUSE_MS = 2;

/** Runs pieces of work one after another with rests between them, longer after longer pieces. */
export type Pace = <T>(work: () => Promise<T>) => Promise<T>;

/** Thrown into the work when the process stops. */
export class Stopped extends Error {
  override readonly name = "Stopped";
}

export function createPace(signal: AbortSignal): Pace {
  return async (work) => {
    if (signal.aborted) throw new Stopped("the process stops");
    const startedMs = performance.now();
    const result = await work();
    const tookMs = performance.now() - startedMs;
    await Bun.sleep(Math.max(SHORTEST_PAUSE_MS, tookMs * (1 / SHARE - 1)));
    return result;
  };
}
