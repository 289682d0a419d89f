import type { ReportWriter } from "../cookies/report-recorder.ts";
import type { Database } from "../db/database.ts";
import type { VisitWriter } from "../redirect/visit-recorder.ts";
import type { WriterThread } from "./worker.ts";

/** Writes on a thread of its own what visitors wait for, so that this one goes on answering requests meanwhile. */
export interface Writer {
  readonly visits: VisitWriter;
  readonly cookies: ReportWriter;
  /** Resolves when the thread has let go of the database. */
  stop(): Promise<void>;
}

/** `db` is the thread's database as this thread knows it: on SQLite the two take turns. */
export function openWriter(db: Database, thread: WriterThread): Writer {
  return {
    visits: { write: (visits) => db.writeElsewhere(() => thread.write({ kind: "visits", visits })) },
    cookies: { write: (reports) => db.writeElsewhere(() => thread.write({ kind: "cookies", reports })) },
    stop: thread.stop,
  };
}
