import { DeadlineError, withDeadline } from "../platform/deadline.ts";
import type { Database } from "./database.ts";

/** How long somebody who asks over HTTP waits for the database before being told to come again. */
export const ANSWER_MS = 3_000;

/**
 * Waits for work of the database, but not for longer than `ms`: then its connections are taken for dead, and new ones
 * are opened. The work itself may still end well, so it must bear being done again.
 *
 * @throws DeadlineError, or what the work failed with
 */
export async function withDatabaseDeadline<T>(
  db: Pick<Database, "renewConnections">,
  ms: number,
  work: PromiseLike<T>,
): Promise<T> {
  try {
    return await withDeadline(work, ms);
  } catch (error) {
    if (error instanceof DeadlineError) db.renewConnections();
    throw error;
  }
}
