import { Cron } from "croner";
import type { Log } from "./log.ts";
import { createOutage } from "./outage.ts";

/** Work that goes on by itself again and again, and never twice at once. */
export interface Periodic<T> {
  /** Does it now, or joins the run that is under way. @throws what the work fails with */
  run(): Promise<T>;
  /** Does it, at once unless said otherwise, and then at every turn of its schedule; a turn that fails is logged. */
  start(firstAfterMs?: number): void;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

interface PeriodicDeps {
  readonly log: Log;
  /** Whoever knows what to do about a failure. */
  readonly db: { advice(error: unknown): string | undefined };
}

/** When work is done, and what the log says when it begins to fail and when it works again. */
interface Job {
  /** For croner, with seconds. */
  readonly schedule: string;
  readonly failed: string;
  readonly worked: string;
}

/**
 * Makes work periodic. It never keeps a process from ending.
 *
 * @param work long work should end with the piece in hand once `signal` is aborted; it may throw the signal's reason
 */
export function periodic<T>(
  { log, db }: PeriodicDeps,
  { schedule, ...says }: Job,
  work: (signal: AbortSignal) => Promise<T>,
): Periodic<T> {
  const outage = createOutage(log, says);
  const stopping = new AbortController();
  let running: Promise<T> | undefined;
  let cron: Cron | undefined;
  let first: Timer | undefined;

  function run(): Promise<T> {
    running ??= work(stopping.signal).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function turn(): Promise<void> {
    try {
      await run();
      outage.worked();
    } catch (error) {
      if (error !== stopping.signal.reason) outage.failed({ error, todo: db.advice(error) });
    }
  }

  return {
    run,
    start(firstAfterMs = 0) {
      cron = new Cron(schedule, { unref: true }, turn);
      if (firstAfterMs === 0) void turn();
      else first = setTimeout(turn, firstAfterMs).unref();
    },
    async stop() {
      stopping.abort();
      cron?.stop();
      clearTimeout(first);
      await running?.catch(() => undefined);
    },
  };
}
