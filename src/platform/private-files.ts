import { chmodSync, statSync } from "node:fs";
import type { Log } from "./log.ts";

const OTHERS = 0o007;
const MODE_BITS = 0o7777;

/**
 * Closes files to other users of the machine, as those are from the start that this version makes: older ones left
 * databases that all could read. What a group may do stays as it is: an operator may have meant it so. What is not ours
 * is said in the log.
 */
export function closeToOthers(paths: readonly string[], log: Log): void {
  for (const path of paths) {
    if (!isOpenToOthers(path)) continue;
    try {
      chmodSync(path, statSync(path).mode & MODE_BITS & ~OTHERS);
      log.warn({ path }, "other users of this machine could read a file of Ponte's; now they cannot");
    } catch (error) {
      // Another process that closes the same database may have deleted its log just now.
      if (!isOpenToOthers(path)) continue;
      const todo = `Give the file to the user that Ponte runs as, or run: chmod o= ${path}`;
      log.error({ error, path, todo }, "other users of this machine can read a file of Ponte's");
    }
  }
}

function isOpenToOthers(path: string): boolean {
  try {
    const stats = statSync(path);
    // A setting that names a folder is told of soon enough; the folder may be everybody's, as /tmp is.
    return stats.isFile() && (stats.mode & OTHERS) !== 0;
  } catch {
    // What is not there, or in a folder that is closed to us, nobody reads by our fault.
    return false;
  }
}
