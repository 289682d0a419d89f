import type { Database, Tx } from "../db/database.ts";
import { promptly } from "../db/promptly.ts";
import type { Log } from "../platform/log.ts";

const MOST_TRIES = 8;
const FIRST_PAUSE_MS = 50;
const PATIENCE_MS = 5_000;

/** What came before a try. */
export interface Tried {
  /** The same was tried before. That may have been committed all the same: a commit's answer can be late, or lost. */
  readonly before: boolean;
  /** How long ago the first try began. */
  readonly sinceMs: number;
  /** At the last try: what the one before failed with, so that what was the reason can be left out. */
  readonly failure: unknown;
}

/**
 * Commits what must not be lost for a database that hiccups: a result that is not written down means sending the
 * same events again, which is also all that losing the machine's power in the very next moment can do. Tries for about
 * six seconds, well within a lease, and longer where the database does not even fail. `work` is told what came before.
 *
 * @throws what the last try failed with
 */
export async function surely<T>(
  { db, log }: { readonly db: Database; readonly log: Log },
  work: (tx: Tx, tried: Tried) => Promise<T>,
): Promise<T> {
  const startedMs = performance.now();
  let failure: unknown;
  for (let tries = 1; ; tries++) {
    const tried = (): Tried => ({
      before: tries > 1,
      sinceMs: Math.ceil(performance.now() - startedMs),
      failure: tries === MOST_TRIES ? failure : undefined,
    });
    try {
      return await promptly(
        db,
        PATIENCE_MS,
        db.transaction((tx) => work(tx, tried()), "relaxed"),
      );
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
      failure = error;
      log.warn({ error, tries }, "a result could not be written down; trying again");
      await Bun.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
    }
  }
}
