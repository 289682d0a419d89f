import { causesOf, codeOf } from "./errors.ts";

// As the system, SQLite and Postgres call it. SQLite's failing disk may be a full one: its log's index found no room.
const FULL = /^(ENOSPC|EDQUOT|SQLITE_FULL|53100)$/;
const FAILING = /^(EIO$|SQLITE_IOERR|58030$)/;

/** Whether the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return causesOf(error).some((cause) => FULL.test(codeOf(cause)));
}

/** Whether the disk is full, or fails. */
export function isDiskAtFault(error: unknown): boolean {
  return isDiskFull(error) || causesOf(error).some((cause) => FAILING.test(codeOf(cause)));
}

/** What to do about a disk that is full or fails; null where it is not the disk's fault. */
export function diskTodo(error: unknown): string | null {
  if (isDiskFull(error)) return "Make room on its disk.";
  return isDiskAtFault(error)
    ? "Make room on its disk; where it has room, the system's log says why it fails."
    : null;
}
