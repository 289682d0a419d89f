import { Database as SqliteClient } from "bun:sqlite";

/** So long one process waits for the others. */
const PATIENCE_MS = 60_000;

/**
 * Does the work while no other process that names the same file does theirs. The system frees the lock of a process that
 * is killed; the file, which is empty, stays.
 *
 * @throws SQLITE_BUSY where others take longer than a minute
 */
export function exclusively<T>(lockPath: string, work: () => T): T {
  const lock = new SqliteClient(lockPath, { create: true });
  try {
    lock.run(`pragma busy_timeout = ${PATIENCE_MS}`);
    lock.run("begin exclusive");
    return work();
  } finally {
    lock.close();
  }
}
