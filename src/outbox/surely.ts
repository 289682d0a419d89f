import type { Database, Tx } from "../db/database.ts";
import { promptly } from "../db/promptly.ts";
import type { Log } from "../platform/log.ts";

const MOST_TRIES = 8;
const FIRST_PAUSE_MS = 50;
const PATIENCE_MS = 5_000;

/**
 * Commits what must not be lost for a database that hiccups: a result that is not written down means sending the
 * same events again, which is also all that losing the machine's power in the very next moment can do. Tries for about
 * six seconds, well within a lease, and longer where the database does not even fail. The last time, `work` is told
 * what it failed with the time before, so that it can leave out what was the reason.
 *
 * @throws what the last try failed with
 */
export async function surely<T>(
  { db, log }: { readonly db: Database; readonly log: Log },
  work: (tx: Tx, failure?: unknown) => Promise<T>,
): Promise<T> {
  let failure: unknown;
  for (let tries = 1; ; tries++) {
    try {
      return await promptly(
        db,
        PATIENCE_MS,
        db.transaction((tx) => work(tx, tries === MOST_TRIES ? failure : undefined), "relaxed"),
      );
    } catch (error) {
      if (tries === MOST_TRIES) throw error;
      failure = error;
      log.warn({ error, tries }, "a result could not be written down; trying again");
      await Bun.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1));
    }
  }
}
