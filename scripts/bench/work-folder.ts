import { chmodSync, existsSync, mkdtempSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../lib/command.ts";

/**
 * Makes a folder for databases, in `parent` or where the system puts what is temporary. Durable commits are what is
 * measured: in memory they would be free.
 *
 * @throws UsageError where there is no such folder, or it lies in memory though that matters
 */
export function makeWorkFolder(name: string, parent: string | null, mayLieInMemory = false): string {
  const place = parent ?? tmpdir();
  if (!existsSync(place)) throw new UsageError(`There is no folder ${place}`);
  if (!mayLieInMemory && isInMemory(place)) {
    throw new UsageError(
      `${place} lies in memory, where durability costs nothing. Give a folder on a disk: --dir FOLDER`,
    );
  }
  const folder = mkdtempSync(join(place, `${name}-`));
  // Postgres runs as a user of its own.
  chmodSync(folder, 0o755);
  return folder;
}

/** From `statfs(2)`. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

function isInMemory(folder: string): boolean {
  return IN_MEMORY.has(statfsSync(folder).type);
}
