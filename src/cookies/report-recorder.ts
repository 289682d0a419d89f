import type { Database } from "../db/database.ts";
import { isRowFault } from "../db/fault.ts";
import { createGroupCommit } from "../db/group-commit.ts";
import { ANSWER_MS, promptly } from "../db/promptly.ts";
import type { Spool } from "../db/spool.ts";
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
}

/** Records browsers' reports: what arrives together shares a look into the spool and a commit. */
export function createReportRecorder(deps: {
  readonly db: Database;
  readonly writer: ReportWriter;
  readonly spool: Pick<Spool, "count" | "counts">;
  readonly trackingStore: TrackingStore;
  readonly log: Log;
}): ReportRecorder {
  const { db, writer, spool, trackingStore, log } = deps;
  const commits = createGroupCommit<BrowserReport>({
    write,
    // Its neighbours are tried without it.
    isRowFault: (error) => error instanceof VisitWaitsError || isRowFault(error),
  });

  async function write(reports: readonly BrowserReport[]): Promise<void> {
    const tokens = reports.map(({ trackingToken }) => trackingToken);
    // Before the database is asked: a visit that is brought in meanwhile is found there.
    if (!isSpoolEmpty() && spool.count(tokens) > 0) throw new VisitWaitsError("the visit waits in the spool");
    await writer.write(reports);
    if (trackingStore.keepsCopies) await copy(tokens);
  }

  function isSpoolEmpty(): boolean {
    const { waiting, setAside } = spool.counts();
    return waiting + setAside === 0;
  }

  async function copy(tokens: readonly string[]): Promise<void> {
    try {
      const sessions = await promptly(db, ANSWER_MS, findSessions(db, db.tables, tokens));
      for (const session of sessions) trackingStore.save(() => session);
    } catch (error) {
      log.warn({ error, todo: db.advice(error) }, "visits could not be read for their copies");
    }
  }

  return { record: (report) => withDeadline(commits.submit(report), ANSWER_MS) };
}
