import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { findDatabaseId } from "../../db/database-id.ts";
import { damagedSpools, isUnread } from "../../db/spool/damaged-spool.ts";
import { DamagedSpoolError, openSpool, type Spool } from "../../db/spool/spool.ts";
import { count } from "../print.ts";
import { isMissing } from "../with-database.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

/** With less than this, SQLite may find no room for its log. */
const LEAST_ROOM_BYTES = 1024 * 1024;

/** Whether spool and key can be written where they belong; looks without making anything. */
export function checkDataDir({ dataDir, spoolFile }: Config): Finding {
  const folder = nearestThatIs(dataDir);
  const todo = "Let the user that Ponte runs as write there, or set DATA_DIR to a folder where it may.";
  if (!statSync(folder).isDirectory()) return bad("DATA_DIR", `${folder} is no folder`, todo);
  const closed = [folder, spoolFile].find((path) => existsSync(path) && !isWritable(path));
  if (closed !== undefined) return bad("DATA_DIR", `${closed} cannot be written by this user`, todo);
  return isFull(folder)
    ? bad("DATA_DIR", `${folder} has no room left`, "Make room on its disk.")
    : good("DATA_DIR", `${dataDir} can be written`);
}

/** Whether the disk of a SQLite file has room, where that is another than the spool's. */
export function checkDatabaseRoom({ sqliteFile, dataDir }: Config): Finding[] {
  if (sqliteFile === null) return [];
  const folder = nearestThatIs(dirname(sqliteFile));
  const isSpools = statSync(folder).dev === statSync(nearestThatIs(dataDir)).dev;
  return !isSpools && isFull(folder)
    ? [bad("database", `${folder} has no room left`, "Make room on its disk.")]
    : [];
}

/** A statement that changes no row needs no room, so the checks of tables may not notice. Some file systems do not count. */
function isFull(folder: string): boolean {
  const { blocks, bavail, bsize } = statfsSync(folder);
  return blocks > 0 && bavail * bsize < LEAST_ROOM_BYTES;
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The folder itself or, where it is still to be made, the one that it will be made in. */
function nearestThatIs(path: string): string {
  return existsSync(path) ? path : nearestThatIs(dirname(resolve(path)));
}

/** Whether spools that were damaged lie beside the one in use: what is in them, or that they are still to be deleted. */
export function checkDamagedSpools({ dataDir, spoolFile }: Config): Finding[] {
  // What is said of the folder itself says it all where it cannot be looked through.
  if (!isWritable(dataDir)) return [];
  return damagedSpools(spoolFile).map((path) =>
    isUnread(path)
      ? bad(
          "spool",
          `${path} is damaged, and was not read to its end`,
          "Make room on its disk and restart Ponte, which brings in the visits that it can read.",
        )
      : warning(
          "spool",
          `${path} was damaged; what could be read of it is brought in`,
          `It names people. Delete it: rm ${path}*`,
        ),
  );
}

/** Whether visits wait on this machine's disk for the database. */
export function checkSpool({ spoolFile: path }: Config): Finding {
  if (isMissing(path)) return good("spool", "none on this machine");
  const spool = openSpool(path);
  try {
    const { waiting, setAside } = spool.counts();
    if (setAside > 0) {
      const todo = `Look at the reasons in ${path}: select key, reason from spool where reason is not null`;
      return bad("spool", `${count(setAside, "visit")} could not be replayed and were set aside`, todo);
    }
    return waiting > 0
      ? warning(
          "spool",
          `${count(waiting, "visit")} wait for the database`,
          "A running Ponte replays them by itself.",
        )
      : good("spool", "empty");
  } finally {
    spool.close();
  }
}

/** Whether visits lie in this machine's spool that no process on this database brings in. */
export async function checkOthersVisits(db: Database, { spoolFile: path }: Config): Promise<Finding[]> {
  if (!existsSync(path)) return [];
  const own = await findDatabaseId(db);
  const spool = soundSpool(path);
  // That it is damaged stands among the findings about the file itself.
  if (spool === null) return [];
  try {
    return spool.ofOthers(own).map(({ database, waiting }) => {
      const bringIn = `update spool set body = json_remove(body, '$.database') where json_extract(body, '$.database') = '${database}'`;
      return bad(
        "spool",
        `${count(waiting, "visit")} in ${path} ${waiting === 1 ? "is" : "are"} of another database, ${database}; this one is ${own ?? "not named yet"}`,
        `A Ponte on that database brings them in; give each database a DATA_DIR of its own. Where that was an earlier copy of this one, such as one that was replaced by an older backup, run: sqlite3 ${path} "${bringIn}"`,
      );
    });
  } finally {
    spool.close();
  }
}

function soundSpool(path: string): Spool | null {
  try {
    return openSpool(path);
  } catch (error) {
    if (error instanceof DamagedSpoolError) return null;
    throw error;
  }
}
