import type { Database } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { findDatabaseId } from "../db/database-id.ts";
import { isRowFault } from "../db/fault.ts";
import type { Spool, Spooled } from "../db/spool/spool.ts";
import { errorText } from "../platform/errors.ts";
import type { Log } from "../platform/log.ts";
import { decodeVisit } from "./visit-json.ts";
import type { VisitRecord } from "./visit-record.ts";

/** Visits brought in by one transaction. */
const BATCH = 100;
/** A replayed batch holds up nobody, so it may take this many times a visit's deadline. */
const REPLAY_FACTOR = 5;

interface ReplayDeps {
  readonly db: Database;
  readonly spool: Spool;
  readonly log: Log;
  /** How long a visit may wait for the database. */
  readonly deadlineMs: number;
  /** Writes visits to the database, over other connections than those of whoever visits. */
  write(visits: readonly VisitRecord[]): Promise<void>;
  /** Called after each batch, and when none is left. */
  onBatch(): Promise<void>;
}

/** Brings what waits in the spool into the database: all of it in its order, or a visit before its turn. */
export function createReplay({ db, spool, log, deadlineMs, write, onBatch }: ReplayDeps) {
  let warnedOf = "";

  async function replay(goesOn = () => true): Promise<number> {
    let replayed = 0;
    while (goesOn()) {
      const startedMs = performance.now();
      const database = await withDatabaseDeadline(db, deadlineMs, findDatabaseId(db));
      const batch = spool.oldest(BATCH, database);
      if (batch.length === 0) {
        warnOfOthers(database);
        break;
      }
      await bringIn(batch.flatMap(decodeOrSetAside));
      replayed += batch.length;
      // Whoever comes now need not wait for all the others: under steady traffic the spool would never be empty.
      await onBatch();
      // On SQLite none of this ever leaves the process: who visits meanwhile has as much of its time as the replay.
      await Bun.sleep(performance.now() - startedMs);
    }
    await onBatch();
    return replayed;
  }

  /** A database that hangs would keep the replay for ever, and with it every later one. */
  function writeInTime(visits: readonly VisitRecord[]): Promise<void> {
    return withDatabaseDeadline(db, deadlineMs * REPLAY_FACTOR, write(visits));
  }

  /** Together, or one by one where a row is at fault; what is in the database leaves the spool. */
  async function bringIn(visits: readonly VisitRecord[]): Promise<void> {
    try {
      await writeInTime(visits);
      spool.remove(visits.map(({ trackingToken }) => trackingToken));
    } catch (error) {
      if (!isRowFault(error)) throw error;
      for (const visit of visits) {
        if (await writeAlone(visit)) spool.remove([visit.trackingToken]);
      }
    }
  }

  /** Numbers of another database's pools mean something else here: their visits stay where they are, and the log says so. */
  function warnOfOthers(database: string | null): void {
    const others = spool.counts().waiting > 0 ? spool.ofOthers(database) : [];
    const names = others.map((other) => other.database).join();
    if (names !== warnedOf && names !== "") {
      const todo = "Run `bun run ponte doctor`, which says how to bring them in.";
      log.warn({ database, others, todo }, "the spool has visits of another database, and keeps them for it");
    }
    warnedOf = names;
  }

  async function recall(trackingToken: string): Promise<boolean> {
    const waiting = spool.find(trackingToken);
    const [visit] = waiting ? decodeOrSetAside(waiting) : [];
    if (!visit) return false;
    if (visit.database !== null && visit.database !== (await findDatabaseId(db))) return false;
    const isIn = await writeAlone(visit);
    if (isIn) leaveSpool(visit.trackingToken);
    return isIn;
  }

  function decodeOrSetAside({ key, body }: Spooled): VisitRecord[] {
    try {
      const visit = decodeVisit(body);
      // Which of the two a damaged disk changed nobody knows; by the other one it would never leave the spool.
      if (visit.trackingToken !== key) throw new Error(`it names itself ${visit.trackingToken}`);
      return [visit];
    } catch (error) {
      setAside(key, error);
      return [];
    }
  }

  /** Whether it is in the database now; one that never can be is set aside. */
  async function writeAlone(visit: VisitRecord): Promise<boolean> {
    try {
      await writeInTime([visit]);
      return true;
    } catch (error) {
      if (!isRowFault(error)) throw error;
      setAside(visit.trackingToken, error);
      return false;
    }
  }

  /** The visit is in the database: whoever needs it is not to fail because its copy cannot be removed. */
  function leaveSpool(trackingToken: string): void {
    try {
      spool.remove([trackingToken]);
    } catch (error) {
      log.warn(
        { error, trackingToken },
        "a visit is in the database and still in the spool; it is replayed again",
      );
    }
  }

  function setAside(trackingToken: string, error: unknown): void {
    spool.setAside(trackingToken, errorText(error));
    log.error({ error, trackingToken }, "a spooled visit cannot be recorded; it is set aside");
  }

  return { replay, recall };
}
