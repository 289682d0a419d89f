import type { Log } from "./log.ts";

const EVERY_MS = 60_000;
const AGAIN_MS = 5_000;

/** What the log hears of something that is tried again and again. */
interface Outage {
  /** Said the first time, and then once a minute. */
  failed(facts: object): void;
  /** Said once, where it had failed before. */
  worked(): void;
  /** Whether it failed the last time. */
  readonly isOn: boolean;
}

/** What the log says when something begins to fail, and when it works again. */
interface Says {
  readonly failed: string;
  readonly worked: string;
}

/** Says that something fails at most once a minute, and once that it works again. */
export function createOutage(log: Log, says: Says, nowMs: () => number = () => performance.now()): Outage {
  let saidAtMs: number | null = null;
  return {
    failed(facts) {
      if (saidAtMs !== null && nowMs() - saidAtMs < EVERY_MS) return;
      saidAtMs = nowMs();
      log.warn(facts, says.failed);
    },
    worked() {
      if (saidAtMs !== null) log.info(says.worked);
      saidAtMs = null;
    },
    get isOn() {
      return saidAtMs !== null;
    },
  };
}

/**
 * Does what a start wants done once, and where that fails does it again every five seconds, until it works or the process
 * stops: the database may be away, or a right missing. Resolves after the first time, however that ended.
 */
export async function untilItWorks(
  {
    log,
    db,
    stopping,
  }: {
    readonly log: Log;
    readonly db: { advice(error: unknown): string | undefined };
    readonly stopping: AbortSignal;
  },
  says: Says,
  work: () => Promise<void>,
): Promise<void> {
  const outage = createOutage(log, says);
  async function attempt(): Promise<void> {
    if (stopping.aborted) return;
    try {
      await work();
      outage.worked();
    } catch (error) {
      outage.failed({ error, todo: db.advice(error) });
      setTimeout(attempt, AGAIN_MS).unref();
    }
  }
  await attempt();
}
