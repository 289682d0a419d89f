import { Cron } from "croner";
import type { Log } from "../platform/log.ts";

/** Work that goes on by itself once an hour, in pieces, and never twice at once. */
export interface HourlyWork<T> {
  /** Does it now, or joins the run that is under way. */
  run(): Promise<T>;
  /** Does it now and at every turn of the schedule. */
  start(): void;
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

  function run(): Promise<T> {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    run,
    isStopping: () => stopping,
    start() {
      const attempt = async () => {
        await run().catch((error) => log.warn({ error }, complaint));
      };
      cron = new Cron(schedule, { protect: true, unref: true }, attempt);
      void attempt();
    },
    async stop() {
      stopping = true;
      cron?.stop();
      await running?.catch(() => undefined);
    },
  };
}
