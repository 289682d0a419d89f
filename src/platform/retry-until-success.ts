import type { Log } from "./log.ts";
import { createOutage, type Says } from "./outage.ts";

const AGAIN_MS = 5_000;

/**
 * Does what a start wants done once, and where that fails does it again every five seconds, until it works or the process
 * stops: the database may be away, or a right missing. Resolves after the first time, however that ended.
 */
export async function retryUntilSuccess(
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
