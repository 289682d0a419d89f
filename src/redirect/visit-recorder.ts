import type { Database } from "../db/database.ts";
import { isRowFault } from "../db/fault.ts";
import { createGroupCommit } from "../db/group-commit.ts";
import type { Spool } from "../db/spool/spool.ts";
import { QueueFullError } from "../db/waiting-list.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import { recordVisits } from "./record-visits.ts";
import { createReplay } from "./replay-spool.ts";
import { createSpoolCommit } from "./spool-commit.ts";
import type { VisitRecord } from "./visit-record.ts";

/** Writes visits, all in one transaction (see `recordVisits`). */
export interface VisitWriter {
  /** Resolves when the visits are committed. @throws what the database said, with its code */
  write(visits: readonly VisitRecord[]): Promise<void>;
}

/** How long a visit may wait for the database before it goes to the spool instead. */
const COMMIT_DEADLINE_MS = 2_000;
const REPLAY_EVERY_MS = 1_000;

/** Where an accepted visit is now: safe in the database, or safe on the local disk until that is back. */
type Recorded = "committed" | "spooled";

export interface VisitRecorder {
  /** Resolves when the visit is durable. @throws QueueFullError, or when neither database nor disk takes it. */
  record(visit: VisitRecord): Promise<Recorded>;
  /**
   * Brings spooled visits into the database, also once `close` has begun; resolves to how many. For tests, which must know
   * that it was done: a process uses `replayWaiting`.
   * @throws what the database said
   */
  replay(): Promise<number>;
  /** Does now what is done every second: brings in what waits, if anything does. Where it cannot, the log says why. */
  replayWaiting(): Promise<void>;
  /**
   * Brings one visit in before its turn, for whoever needs it now; false where it does not wait on this machine, or the
   * database will never take it.
   * @throws what the database said
   */
  recall(trackingToken: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Records visits through one group commit, and through the spool while the database is away: the first batch
 * that fails or runs out of time opens the spool, and the first of it that comes in again closes it.
 */
export function createVisitRecorder(deps: {
  db: Database;
  writer: VisitWriter;
  spool: Spool;
  log: Log;
  /** Whether visits name pools of this very database: until then each waits in the spool for its own. */
  isOurs?: () => boolean;
  deadlineMs?: number;
  onCommit?: (size: number, durationMs: number) => void;
  /** Spooled visits have come into the database, and whoever waited for them may act; the spool keeps them until then. */
  onReplay?: (trackingTokens: readonly string[]) => Promise<void>;
}): VisitRecorder {
  const { db, writer, spool, log, isOurs = () => true, onCommit, onReplay } = deps;
  const { deadlineMs = COMMIT_DEADLINE_MS } = deps;
  let databaseIsAway = false;
  let isClosing = false;

  async function write(visits: readonly VisitRecord[]): Promise<void> {
    await db.transaction((tx) => recordVisits(tx, db.tables, visits));
    await onReplay?.(visits.map(({ trackingToken }) => trackingToken));
  }

  const toDatabase = createGroupCommit<VisitRecord>({
    write: writeInTime,
    isRowFault,
    maxWrites: db.arrivalsAtOnce,
    // A database that is slow, and not away, makes nobody wait for all who came before.
    maxWaitMs: deadlineMs,
    ...(onCommit && { onCommit }),
  });
  const toSpool = createSpoolCommit(spool);

  async function writeInTime(visits: readonly VisitRecord[]): Promise<void> {
    try {
      await withDeadline(writer.write(visits), deadlineMs);
    } catch (error) {
      if (!isRowFault(error)) {
        databaseIsAway = true;
        const todo = db.advice(error);
        log.error({ error, todo }, "the database did not take visits; they go to the spool");
      }
      throw error;
    }
  }

  async function record(visit: VisitRecord): Promise<Recorded> {
    if (!databaseIsAway && isOurs()) {
      try {
        await toDatabase.submit(visit);
        return "committed";
      } catch (error) {
        if (error instanceof QueueFullError) throw error;
        if (isRowFault(error)) log.error({ error }, "the database refuses a visit; it goes to the spool");
      }
    }
    try {
      await toSpool.submit(visit);
      return "spooled";
    } catch (error) {
      if (error instanceof QueueFullError) throw error;
      log.error({ error }, "the spool did not take visits; the database is asked again");
    }
    await toDatabase.submit(visit);
    noteDatabaseIsBack();
    return "committed";
  }

  /** The spool is brought in over other connections; only the writer itself can show that its own work again. */
  async function goBackToDatabase(): Promise<void> {
    if (!databaseIsAway) return;
    await withDeadline(writer.write([]), deadlineMs);
    noteDatabaseIsBack();
  }

  function noteDatabaseIsBack(): void {
    if (databaseIsAway) log.info("the database takes visits again");
    databaseIsAway = false;
  }

  const { replay, recall } = createReplay({ db, spool, log, deadlineMs, write, onBatch: goBackToDatabase });
  const outage = createOutage(log, {
    failed: "the spool waits: the database does not take visits yet",
    worked: "the spool's visits are in the database",
  });
  let replaying: Promise<void> | undefined;

  /** One at a time: two would bring in the same visits. A close ends it, and waits for that. */
  async function replayWaiting(): Promise<void> {
    if (!databaseIsAway && spool.counts().waiting === 0) return;
    replaying ??= replay(() => !isClosing)
      .then(outage.worked, (error) => outage.failed({ error, todo: db.advice(error) }))
      .finally(() => {
        replaying = undefined;
      });
    return replaying;
  }

  const timer = setInterval(replayWaiting, REPLAY_EVERY_MS);
  timer.unref();

  return {
    record,
    replay: () => replay(),
    replayWaiting,
    recall,
    async close() {
      clearInterval(timer);
      isClosing = true;
      await toDatabase.idle();
      await toSpool.idle();
      await replaying;
    },
  };
}
