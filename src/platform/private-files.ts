import { chmodSync, statSync } from "node:fs";
import type { Log } from "./log.ts";

const OTHERS = 0o007;
const OWNER_ONLY = 0o600;

/**
 * Closes files to other users of the machine, as those are from the start that this version makes: older ones left
 * databases that all could read. One that an operator opened for a group stays so. What is not ours is said in the log.
 */
export function closeToOthers(paths: readonly string[], log: Log): void {
  for (const path of paths) {
    // Another process may be deleting it: a log that is not needed any more.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined || (found.mode & OTHERS) === 0) continue;
    try {
      chmodSync(path, OWNER_ONLY);
      log.warn({ path }, "other users of this machine could read a file of Ponte's; now they cannot");
    } catch (error) {
      const todo = `Give the file to the user that Ponte runs as, or run: chmod 600 ${path}`;
      log.error({ error, path, todo }, "other users of this machine can read a file of Ponte's");
    }
  }
}
