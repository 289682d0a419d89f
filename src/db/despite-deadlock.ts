import { isDeadlock } from "./fault.ts";

const MOST_TRIES = 5;

/**
 * Does work anew that Postgres gave up because another one waited for it, and it for that one: by then the other has what it
 * wanted. For what many wait for, or nobody asks for again; whatever the work did is to be gone with its transaction.
 */
export async function despiteDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === MOST_TRIES || !isDeadlock(error)) throw error;
    }
  }
}
