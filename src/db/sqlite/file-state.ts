import { statSync } from "node:fs";

/**
 * Tells a SQLite file from the same file after anybody wrote to it: its time of change is another one then. Null where
 * there is none, or its newest part is in its log, as long as somebody works with it and after a crash.
 */
export function fileState(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  return stats === undefined || (log?.size ?? 0) > 0 ? null : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
