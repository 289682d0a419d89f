import type { Database, Tx } from "../db/database.ts";
import { withDatabaseDeadline } from "../db/database-deadline.ts";
import { isAway } from "../db/fault.ts";
import type { Log } from "../platform/log.ts";
import { DATABASE_TIMEOUT_MS } from "./limits.ts";

const MOST_TRIES = 8;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3_200;
/** A database that restarts, or whose place another one takes, is back by then. */
const AWAY_MS = 60_000;

/** What came before a try. */
export interface Tried {
  /** The same was tried before. That may have been committed all the same: a commit's answer can be late, or lost. */
  readonly before: boolean;
  /** How long ago the first try began. */
  readonly sinceMs: number;
  /** From the last try on: what the one before failed with, so that what was the reason can be left out. */
  readonly failure: unknown;
}

/**
 * Commits what must not be lost for a database that hiccups: a result that is not written down means sending the
 * same events again, which is also all that losing the machine's power in the very next moment can do. Tries for about
 * six seconds, well within a lease, and longer where the database does not even fail. One that is away is waited for, up to
 * a minute unless the process stops: meanwhile nobody can take the rows over. `work` is told what came before.
 *
 * @throws what the last try failed with
 */
export async function commitWithRetry<T>(
  { db, log, signal }: { readonly db: Database; readonly log: Log; readonly signal: AbortSignal },
  work: (tx: Tx, tried: Tried) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  let failure: unknown;
  for (let tries = 1; ; tries++) {
    const tried = (): Tried => ({
      before: tries > 1,
      sinceMs: Math.ceil(performance.now() - startedMs),
      failure: tries >= MOST_TRIES ? failure : undefined,
    });
    try {
      return await withDatabaseDeadline(
        db,
        DATABASE_TIMEOUT_MS,
        db.transaction((tx) => work(tx, tried()), "relaxed"),
      );
    } catch (error) {
      const isWaitedFor = isAway(error) && !signal.aborted && performance.now() - startedMs < AWAY_MS;
      if (tries >= MOST_TRIES && !isWaitedFor) throw error;
      failure = error;
      log.warn({ error, todo: db.advice(error), tries }, "a result could not be written down; trying again");
      await Bun.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1)));
    }
  }
}
