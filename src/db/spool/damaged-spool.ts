import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { isDiskAtFault } from "../../platform/disk.ts";
import type { Log } from "../../platform/log.ts";
import { inDataDir } from "../../platform/setting-error.ts";
import { withFileLock } from "../file-lock.ts";
import { type Salvaged, salvage } from "./salvage.ts";
import { DamagedSpoolError, openSpool, type Spool, unavailableSpool } from "./spool.ts";

/** What a damaged spool's name ends with until all that can be read of it is in the new one. */
const UNREAD = ".unread";
/** What SQLite's log of a database ends with. */
const LOG = "-wal";

/**
 * Opens the spool, whatever became of its file: one that is damaged is moved aside, and a new one begun with what could
 * be read of it. Whoever is killed meanwhile leaves the rest to the next start. Processes that start at the same time do
 * this one after the other. Where the disk has no room for it, or fails, there is none until the next start: visitors
 * need the database more.
 *
 * @throws SettingError where the folder is of no use
 */
export function openOrRecoverSpool(path: string, log: Log): Spool {
  try {
    return inDataDir(path, () => openInTurn(path, log));
  } catch (error) {
    if (isDiskAtFault(error)) return unavailableSpool(error);
    throw error;
  }
}

function openInTurn(path: string, log: Log): Spool {
  mkdirSync(dirname(path), { recursive: true });
  return withFileLock(`${path}.lock`, () => {
    forgetHalfMoves(path);
    const spool = openSoundSpool(path, log);
    for (const aside of unreadOnes(path)) bringIn(spool, aside, log);
    if (unreadOnes(path).length === 0) spool.endForgetting();
    return spool;
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
  // The log has both names until the database is there too: whoever is killed in between leaves them in one place.
  if (existsSync(path + LOG)) giveSecondName(path + LOG, aside + LOG);
  renameSync(path, aside);
  syncFolder(dirname(path));
  for (const part of [LOG, "-shm"]) rmSync(path + part, { force: true });
}

/** A file system that knows no second names gets a copy. */
function giveSecondName(file: string, name: string): void {
  try {
    linkSync(file, name);
  } catch {
    copyFileSync(file, name);
  }
}

/** After a power cut all that was done in the folder so far is done, whatever of what comes next is. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** Takes the second names from logs whose database nobody got to move. */
function forgetHalfMoves(path: string): void {
  for (const log of besides(path).filter((name) => name.endsWith(UNREAD + LOG))) {
    if (!existsSync(log.slice(0, -LOG.length))) rmSync(log);
  }
}

function unreadOnes(path: string): string[] {
  return damagedSpools(path).filter(isUnread);
}

/** The spools that were damaged, beside the one of this path: without what SQLite puts beside them. */
export function damagedSpools(path: string): string[] {
  return besides(path).filter((name) =>
    /^\d+$/.test(name.slice(`${path}.corrupt-`.length).replace(UNREAD, "")),
  );
}

/** All that lies beside the spool of this path because one was damaged, the oldest first. */
function besides(path: string): string[] {
  const beginning = `${basename(path)}.corrupt-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(beginning))
    .toSorted()
    .map((name) => `${path}${name.slice(basename(path).length)}`);
}

/** Whether a damaged spool has yet to be read to its end. */
export function isUnread(damaged: string): boolean {
  return damaged.endsWith(UNREAD);
}

function bringIn(spool: Spool, aside: string, log: Log): void {
  let documents = 0;
  try {
    for (const batch of salvage(aside)) documents += addSalvaged(spool, batch);
    const file = nameAsRead(aside);
    const todo = 'See docs/operations.md, "A damaged spool", then delete the file: it names people.';
    log.warn({ documents, file, todo }, "what could be read of the damaged spool is in the new one");
  } catch (error) {
    const todo = "See to the data folder's disk, then restart Ponte, which brings in the rest.";
    log.error({ error, documents, file: aside, todo }, "not all of the damaged spool could be brought in");
  }
}

/** Answers how many were new: some come twice, and some were forgotten. */
function addSalvaged(spool: Spool, batch: readonly Salvaged[]): number {
  const keys = batch.map(({ key }) => key);
  const known = spool.count(keys);
  spool.append(batch);
  for (const { key, reason } of batch) if (reason !== null) spool.setAside(key, reason);
  return spool.count(keys) - known;
}

/** Answers the name that it has from now on. */
function nameAsRead(aside: string): string {
  const file = aside.slice(0, -UNREAD.length);
  if (existsSync(aside + LOG)) renameSync(aside + LOG, file + LOG);
  renameSync(aside, file);
  return file;
}
