import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Log } from "../platform/log.ts";
import { inDataDir } from "../platform/setting-error.ts";
import { exclusively } from "./exclusively.ts";
import { salvage } from "./salvage.ts";
import { DamagedSpoolError, openSpool, type Spool } from "./spool.ts";

/** What a damaged spool's name ends with until all that can be read of it is in the new one. */
const UNREAD = ".unread";

/**
 * Opens the spool, whatever became of its file: one that is damaged is moved aside, and a new one begun with what could
 * be read of it. Whoever is killed meanwhile leaves the rest to the next start. Processes that start at the same time do
 * this one after the other.
 *
 * @throws SettingError where the folder is of no use
 */
export function openSpoolAnyway(path: string, log: Log): Spool {
  return inDataDir(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    return exclusively(`${path}.lock`, () => {
      const spool = openSoundSpool(path, log);
      for (const aside of unreadOnes(path)) bringIn(spool, aside, log);
      return spool;
    });
  });
}

function openSoundSpool(path: string, log: Log): Spool {
  try {
    return openSpool(path);
  } catch (error) {
    if (!(error instanceof DamagedSpoolError)) throw error;
    moveAside(path);
    log.error({ error: error.cause }, "the spool is damaged; it is moved aside, and a new one begun");
    return openSpool(path);
  }
}

function moveAside(path: string): void {
  const aside = `${path}.corrupt-${Date.now()}${UNREAD}`;
  // A log is a copy until its database is there too: whoever is killed in between leaves both in one of two places.
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${aside}-wal`);
  renameSync(path, aside);
  for (const part of ["-wal", "-shm"]) rmSync(path + part, { force: true });
}

function unreadOnes(path: string): string[] {
  return damagedSpools(path).filter(isUnread);
}

/** The spools that were damaged, beside the one of this path: without what SQLite puts beside them. */
export function damagedSpools(path: string): string[] {
  const folder = dirname(path);
  const beginning = `${basename(path)}.corrupt-`;
  const isTime = (text: string) => /^\d+$/.test(text);
  return readdirSync(folder)
    .filter((name) => name.startsWith(beginning) && isTime(name.slice(beginning.length).replace(UNREAD, "")))
    .toSorted()
    .map((name) => join(folder, name));
}

/** Whether a damaged spool has yet to be read to its end. */
export function isUnread(damaged: string): boolean {
  return damaged.endsWith(UNREAD);
}

function bringIn(spool: Spool, aside: string, log: Log): void {
  let documents = 0;
  try {
    for (const batch of salvage(aside)) {
      // Some come twice.
      const known = spool.count(batch.map(({ key }) => key));
      spool.append(batch);
      for (const { key, reason } of batch) if (reason !== null) spool.setAside(key, reason);
      documents += batch.length - known;
    }
    const file = aside.slice(0, -UNREAD.length);
    if (existsSync(`${aside}-wal`)) renameSync(`${aside}-wal`, `${file}-wal`);
    renameSync(aside, file);
    const todo = 'See docs/operations.md, "A damaged spool", then delete the file: it names people.';
    log.warn({ documents, file, todo }, "what could be read of the damaged spool is in the new one");
  } catch (error) {
    const todo = "See to the data folder's disk, then restart Ponte, which brings in the rest.";
    log.error({ error, documents, file: aside, todo }, "not all of the damaged spool could be brought in");
  }
}
