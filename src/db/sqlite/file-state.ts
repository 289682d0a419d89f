import { realpathSync, statSync } from "node:fs";

/**
 * Tells a SQLite file from the same file after anybody wrote to it: its time of change is another one then. Null where
 * there is none, or none that may be looked at, or its newest part is in its log, as long as somebody works with it and
 * after a crash.
 */
export function fileState(path: string): string | null {
  try {
    // SQLite's log lies beside the file itself, wherever a link to it is.
    const file = realpathSync(path);
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
    return (log?.size ?? 0) > 0 ? null : `${ino} ${size} ${mtimeNs}`;
  } catch {
    return null;
  }
}
