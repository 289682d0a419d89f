/** How old a measurement may become before the next one is made, in the background. Milliseconds. */
const MEASURE_EVERY_MS = 30_000;
/** This machine's two clocks part by so much where it slept, or was paused, or one of them was set. Milliseconds. */
const LEAP_MS = 1_000;

/**
 * The database's clock, as this process reckons it: machines' clocks differ, and what falls due is decided by the
 * one clock that all of them share.
 */
interface Clock {
  /**
   * Resolves when the clock has been measured once; at once afterwards, measuring anew now and then meanwhile. After a leap of
   * this machine's clock, once it has been measured again: else what is written then would be dated as long ago as it slept.
   */
  ready(): Promise<void>;
  /** Unix milliseconds, whole. Only good after `ready()`. */
  nowMs(): number;
}

/**
 * Reckons at most one round trip behind the database and never ahead of it, so that what is due at once is due
 * when the database looks.
 *
 * @param askMs asks the database for its time, in Unix milliseconds
 * @param uptimeMs a clock that only runs forward, as `performance.now()`: somebody may set the other one
 * @param wallMs the other one, which knows how long the machine slept
 */
export function createClock(
  askMs: () => Promise<number>,
  uptimeMs: () => number = () => performance.now(),
  wallMs: () => number = () => Date.now(),
): Clock {
  let aheadMs: number | undefined;
  let wallAheadMs = 0;
  let measuredAt = 0;
  let measuring: Promise<void> | undefined;

  async function measure(): Promise<void> {
    // Looked at before: where the machine sleeps meanwhile, what is answered is as old.
    const partedMs = wallMs() - uptimeMs();
    const first = (await askMs()) - uptimeMs();
    // The first question may have waited for a connection; the second one's round trip is a bare one.
    aheadMs = Math.max(first, (await askMs()) - uptimeMs());
    measuredAt = uptimeMs();
    wallAheadMs = partedMs;
  }

  const hasLeapt = () => Math.abs(wallMs() - uptimeMs() - wallAheadMs) > LEAP_MS;

  function measureOnce(): Promise<void> {
    measuring ??= measure().finally(() => {
      measuring = undefined;
    });
    return measuring;
  }

  return {
    async ready() {
      while (aheadMs === undefined || hasLeapt()) await measureOnce();
      // What was measured before stays good while the database does not answer.
      if (uptimeMs() - measuredAt > MEASURE_EVERY_MS) measureOnce().catch(() => undefined);
    },
    nowMs: () => Math.floor(uptimeMs() + (aheadMs ?? 0)),
  };
}

/** The clock of a database that lives in this process, on this machine's time. */
export const localClock: Clock = { ready: async () => undefined, nowMs: () => Date.now() };
