import { Cron } from "croner";
import type { Database } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { newId } from "../platform/ids.ts";
import type { Log } from "../platform/log.ts";
import { watchClock } from "./clock-leap.ts";
import { beat, withdraw } from "./heartbeat.ts";
import { RENEW_EVERY_MS } from "./lease.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";
import { endOverlongPauses } from "./overlong-pauses.ts";

interface UpkeepDeps {
  readonly db: Database;
  readonly log: Log;
  renewLeases(): Promise<unknown>;
  /** That the database is away stands in the log already. */
  isAway(): boolean;
  isStopping(): boolean;
}

/** What a dispatcher does every few seconds beside sending. */
interface Upkeep {
  start(): void;
  /** Ends it, and takes the dispatcher's sign of life back, unless the database is silent. */
  stop(): Promise<void>;
}

/** Keeps a dispatcher's leases, watches the clock, shows that the dispatcher lives, and ends pauses that are too long. */
export function createUpkeep({ db, log, renewLeases, isAway, isStopping }: UpkeepDeps): Upkeep {
  const dispatcherId = newId();
  const inTime = <T>(work: Promise<T>) => withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, work);
  const steps = [
    { work: renewLeases, failed: "this dispatcher's leases could not be renewed" },
    { work: () => inTime(watchClock(db, log)), failed: "the database's clock could not be looked at" },
    {
      work: () => inTime(beat(db, dispatcherId)),
      failed: "this dispatcher's sign of life could not be renewed",
    },
    { work: () => inTime(endOverlongPauses(db)), failed: "pauses that are too long could not be ended" },
  ];
  let running: Promise<void> = Promise.resolve();
  let schedule: Cron | undefined;

  async function takeSteps(): Promise<void> {
    for (const { work, failed } of steps) {
      if (isStopping()) return;
      await work().catch((error) => {
        if (!isAway()) log.warn({ error, todo: db.advice(error) }, failed);
      });
    }
  }

  /** One after the other: the schedule does not know of the first, which was not its own. */
  function turn(): Promise<void> {
    running = running.then(takeSteps);
    return running;
  }

  return {
    start() {
      schedule = new Cron(`*/${RENEW_EVERY_MS / 1000} * * * * *`, { protect: true, unref: true }, turn);
      void turn();
    },
    async stop() {
      schedule?.stop();
      // A sign of life that is being written must not come after it is taken back.
      await running;
      await inTime(withdraw(db, dispatcherId)).catch((error) =>
        log.warn({ error, todo: db.advice(error) }, "the sign of life could not be withdrawn"),
      );
    },
  };
}
