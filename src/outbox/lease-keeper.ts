import type { Database } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import type { Log } from "../platform/log.ts";
import { reclaimExpired, renewLeases } from "./lease.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";

interface LeaseKeeperDeps {
  readonly db: Database;
  readonly log: Log;
  /** The leases that the dispatcher holds at this moment. */
  leaseIds(): readonly string[];
  isStopping(): boolean;
  /** Rows were taken over, and are due. */
  onTaken(): void;
}

/** Keeps a dispatcher's own leases, and takes over those that others left. */
export function createLeaseKeeper({ db, log, leaseIds, isStopping, onTaken }: LeaseKeeperDeps) {
  const renew = () => inPieces(() => renewLeases(db, leaseIds()));

  async function takeOver(): Promise<void> {
    // A clock that was set, or a machine that slept, ends leases of requests that are under way: nobody sends those twice.
    await renew();
    const taken = await inPieces(async () => {
      const piece = await reclaimExpired(db, leaseIds);
      if (piece > 0) onTaken();
      return piece;
    });
    if (taken > 0)
      log.warn({ events: taken }, "a dispatcher died or lost its leases; its events are taken over");
  }

  /** Works until nothing is left to do, and lets visitors by between its pieces. Answers how much was done. */
  async function inPieces(work: () => Promise<number>): Promise<number> {
    let total = 0;
    for (let piece = 1; piece > 0 && !isStopping(); total += piece)
      piece = await withDatabaseDeadline(db, DATABASE_TIMEOUT_MS, work());
    return total;
  }

  return { renew, takeOver };
}
