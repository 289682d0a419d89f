import type { Database as SqliteClient } from "bun:sqlite";
import { causesOf, codeOf } from "../../platform/errors.ts";

/** How long an opening waits for others that open the same file, threads or processes. */
const OPENING_MS = 2_000;
const PAUSE_MS = 2;

/**
 * Turns the write-ahead log on. Of several who open one new file at once, SQLite refuses some without waiting for
 * `busy_timeout`, because two that wait for each other would wait for ever; so it is asked again here, blocking.
 *
 * @throws what SQLite says where the file stays locked, or cannot be written
 */
export function switchToWal(client: SqliteClient): void {
  client.run("pragma busy_timeout = 1000");
  const deadline = performance.now() + OPENING_MS;
  for (;;) {
    try {
      client.run("pragma journal_mode = wal");
      return;
    } catch (error) {
      if (!(isBusy(error) || isGone(error)) || performance.now() > deadline) throw error;
      Bun.sleepSync(PAUSE_MS);
    }
  }
}

/** Whether somebody else who opens the same file has just deleted what we were about to: a log from before a crash. */
function isGone(error: unknown): boolean {
  return causesOf(error).some((cause) => codeOf(cause) === "SQLITE_IOERR_DELETE_NOENT");
}

/** Whether somebody else holds the lock that was needed; drizzle wraps what SQLite says. */
export function isBusy(error: unknown): boolean {
  return causesOf(error).some((cause) => codeOf(cause).startsWith("SQLITE_BUSY"));
}
