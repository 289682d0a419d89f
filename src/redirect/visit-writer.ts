import type { Database } from "../db/database.ts";
import type { VisitRecord } from "./visit-record.ts";
import type { VisitThread } from "./visit-thread.ts";

/** Writes batches of visits on a thread of its own, so that this one goes on answering requests meanwhile. */
export interface VisitWriter {
  /** Resolves when the visits are committed. @throws what the database said, with its code */
  write(visits: readonly VisitRecord[]): Promise<void>;
  /** Resolves when the thread has let go of the database. */
  stop(): Promise<void>;
}

/** `db` is the thread's database as this thread knows it: on SQLite the two take turns. */
export function openVisitWriter(db: Database, thread: VisitThread): VisitWriter {
  return {
    write: (visits) => {
      const mayLeave = visits.some(({ pageView }) => pageView?.holdMs === 0);
      return db.writeElsewhere(() => thread.write(visits), mayLeave ? ["outbox"] : []);
    },
    stop: thread.stop,
  };
}
