import type { ReportWriter } from "../cookies/report-recorder.ts";
import type { Database } from "../db/database.ts";
import type { DatabaseSettings } from "../db/open.ts";
import type { Log } from "../platform/log.ts";
import { createOutage } from "../platform/outage.ts";
import type { VisitWriter } from "../redirect/visit-recorder.ts";
import { openOwnConnections } from "./connections.ts";
import { type Batch, writeBatch } from "./write-batch.ts";
import { createWriterThread } from "./writer-thread.ts";

/** Writes what visitors wait for. */
export interface Writer {
  readonly visits: VisitWriter;
  readonly cookies: ReportWriter;
  /** Makes ready for much to write; what comes before is written all the same. Resolves when it is. */
  start(): Promise<void>;
  /** Resolves when it has let go of the database. */
  stop(): Promise<void>;
}

type InTurn = NonNullable<Database["writeElsewhere"]>;

/** Writes to the database that `settings` name, which this process knows as `db`. */
export function openWriter(db: Database, settings: DatabaseSettings, log: Log): Writer {
  const { writeElsewhere } = db;
  return writeElsewhere ? writerOnThread(db, settings, log, writeElsewhere) : writerOnConnections(settings);
}

/** Postgres works in processes of its own and is waited for without keeping anybody from being answered. */
function writerOnConnections(settings: DatabaseSettings): Writer {
  const { write, close } = openOwnConnections(settings);
  return { ...writersOf(write), start: async () => undefined, stop: close };
}

/**
 * SQLite works, and waits for the disk, in the thread that asks it: so it gets one of its own, and this one goes on
 * answering requests. While that is not there, as at the start, this one writes.
 */
function writerOnThread(db: Database, settings: DatabaseSettings, log: Log, inTurn: InTurn): Writer {
  const outage = createOutage(log, {
    failed: "the thread that writes visits ended; they are written without it, and it is started again",
    worked: "the thread that writes visits is back",
  });
  const thread = createWriterThread(settings, {
    onUp: outage.worked,
    onEnd: (error) => outage.failed({ error }),
  });
  const write = (batch: Batch) => (thread.isUp() ? inTurn(() => thread.write(batch)) : writeBatch(db, batch));
  return { ...writersOf(write), start: thread.start, stop: thread.stop };
}

function writersOf(write: (batch: Batch) => Promise<void>): Pick<Writer, "visits" | "cookies"> {
  return {
    visits: { write: (visits) => write({ kind: "visits", visits }) },
    cookies: { write: (reports) => write({ kind: "cookies", reports }) },
  };
}
