import { Database as SqliteClient } from "bun:sqlite";
import { inDataDir, SettingError } from "../platform/setting-error.ts";
import { isBusy } from "./sqlite/wal.ts";

/** So long one process waits for the others. */
const TIMEOUT_MS = 60_000;

/**
 * Does the work while no other process that names the same file does theirs. The system frees the lock of a process that
 * is killed; the file, which is empty, stays.
 *
 * @throws SettingError where others take longer than a minute, or the file cannot be opened
 */
export function withFileLock<T>(lockPath: string, work: () => T): T {
  const lock = inDataDir(lockPath, () => new SqliteClient(lockPath, { create: true }));
  try {
    lock.run(`pragma busy_timeout = ${TIMEOUT_MS}`);
    begin(lock, lockPath);
    return work();
  } finally {
    lock.close();
  }
}

function begin(lock: SqliteClient, path: string): void {
  try {
    // A journal on the disk, which nothing here needs, would keep a full one from being locked.
    lock.run("pragma journal_mode = memory");
    lock.run("begin exclusive");
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new SettingError(
      `DATA_DIR: ${path} is held by another process`,
      "Another Ponte on this folder has been starting for a minute: see what keeps it, or end it.",
      error,
    );
  }
}
