import type { Database } from "../db/database.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import { findDatabaseId } from "../db/database-id.ts";
import { isRowFault } from "../db/fault.ts";
import { createGroupCommit } from "../db/group-commit.ts";
import type { Spool } from "../db/spool/spool.ts";
import { withDeadline } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import { findSessions } from "../tracking/find-session.ts";
import type { TrackingStore } from "../tracking/tracking-store.ts";
import type { BrowserReport } from "./report.ts";

/** The visit itself still waits for the database: stored now, its report would be one of nobody's. */
export class VisitWaitsError extends Error {}

/** Writes reports, all in one transaction (see `recordCookies`). */
export interface ReportWriter {
  /** Resolves when the reports are committed. @throws what the database said, with its code */
  write(reports: readonly BrowserReport[]): Promise<void>;
}

export interface ReportRecorder {
  /**
   * Resolves when the report is durable.
   *
   * @throws VisitWaitsError, QueueFullError, DeadlineError, or what the database said
   */
  record(report: BrowserReport): Promise<void>;
  /** Resolves when nothing is being written. */
  close(): Promise<void>;
}

/** Records browsers' reports: those that arrive together share a commit. */
export function createReportRecorder(deps: {
  readonly db: Database;
  readonly writer: ReportWriter;
  readonly spool: Pick<Spool, "count">;
  readonly trackingStore: TrackingStore;
  readonly log: Log;
}): ReportRecorder {
  const { db, writer, spool, trackingStore, log } = deps;
  const commits = createGroupCommit<BrowserReport>({ write, isRowFault });
  let copied: Promise<void> = Promise.resolve();

  async function write(reports: readonly BrowserReport[]): Promise<void> {
    await writer.write(reports);
    if (!trackingStore.keepsCopies) return;
    // Nobody waits for a copy.
    const tokens = reports.map(({ trackingToken }) => trackingToken);
    copied = copied.then(() => copy(tokens));
  }

  async function copy(tokens: readonly string[]): Promise<void> {
    try {
      const read = Promise.all([findSessions(db, db.tables, tokens), findDatabaseId(db)]);
      const [sessions, database] = await withDatabaseDeadline(db, ANSWER_MS, read);
      for (const session of sessions) trackingStore.save(() => session, database);
    } catch (error) {
      log.warn({ error, todo: db.advice(error) }, "visits could not be read for their copies");
    }
  }

  return {
    async record(report) {
      // Before the database is asked: a visit that is brought in meanwhile is found there.
      if (spool.count([report.trackingToken]) > 0) throw new VisitWaitsError("the visit waits in the spool");
      await withDeadline(commits.submit(report), ANSWER_MS);
    },
    async close() {
      await commits.idle();
      await copied;
    },
  };
}
