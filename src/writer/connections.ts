import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { type DatabaseSettings, openDatabase } from "../db/open.ts";
import { type Batch, writeBatch } from "./write-batch.ts";

/**
 * A batch may take so long, and the next ones must not wait behind it any longer. Less than `ANSWER_MS`: who comes after
 * somebody was told to try again is written over new connections.
 */
const TIMEOUT_MS = 2_500;

/**
 * Writes batches over a connection for each kind, which connects with its first: cookies may wait for somebody who has
 * their visit's row locked, and visits must not. On one connection batches follow one another without waiting for
 * answers; on two they would wait for each other all the same, for the counters' rows.
 */
export function openOwnConnections(settings: DatabaseSettings) {
  const open = () => openDatabase({ ...settings, maxConnections: 1 });
  const connections = { visits: open(), cookies: open() };
  return {
    /** Resolves when the batch is committed. @throws DeadlineError, or what the database said, with its code */
    async write(batch: Batch): Promise<void> {
      const db = await connections[batch.kind];
      await withDatabaseDeadline(db, TIMEOUT_MS, writeBatch(db, batch));
    },
    async close(): Promise<void> {
      await Promise.all(Object.values(connections).map(async (opening) => (await opening).close()));
    },
  };
}
