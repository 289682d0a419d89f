import { Cron } from "croner";
import type { Log } from "../platform/log.ts";

/** Whoever has just started has events to send first, that may have waited for it. Milliseconds. */
const FIRST_AFTER_MS = 10_000;

/** Work that goes on by itself once an hour, in pieces, and never twice at once. */
export interface HourlyWork<T> {
  /** Does it now, or joins the run that is under way. */
  run(): Promise<T>;
  /** Does it `firstAfterMs` from now, ten seconds unless said otherwise, and at every turn of the schedule. */
  start(firstAfterMs?: number): void;
  /** Whether the run under way should end with the piece in hand. */
  isStopping(): boolean;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

/** @param complaint what the log says where the work failed; it is tried again at its next turn */
export function hourlyWork<T>(
  { log, schedule, complaint }: { readonly log: Log; readonly schedule: string; readonly complaint: string },
  work: () => Promise<T>,
): HourlyWork<T> {
  let stopping = false;
  let running: Promise<T> | undefined;
  let cron: Cron | undefined;
  let first: Timer | undefined;

  function run(): Promise<T> {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    run,
    isStopping: () => stopping,
    start(firstAfterMs = FIRST_AFTER_MS) {
      const attempt = async () => {
        await run().catch((error) => log.warn({ error }, complaint));
      };
      cron = new Cron(schedule, { protect: true, unref: true }, attempt);
      first = setTimeout(attempt, firstAfterMs);
      first.unref();
    },
    async stop() {
      stopping = true;
      cron?.stop();
      clearTimeout(first);
      await running?.catch(() => undefined);
    },
  };
}
