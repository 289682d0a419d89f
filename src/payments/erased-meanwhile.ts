import type { Database, Tx } from "../db/database.ts";
import { despiteDeadlock } from "../db/despite-deadlock.ts";

/** The payment's buyer was erased after a transaction had looked, and before it had the payment's lock. */
export class ErasedMeanwhile extends Error {
  override readonly name = "ErasedMeanwhile";
}

/**
 * A transaction that writes of the buyer of a payment before it locks that: where they were erased in between
 * (`ErasedMeanwhile`), nothing of it stays, and it begins anew, now knowing. It may come to hold two visits, that which was
 * named and the payment's own, in another order than browsers report at them.
 */
export async function buyersTransaction<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  const transaction = () => despiteDeadlock(() => db.transaction(work));
  try {
    return await transaction();
  } catch (error) {
    if (!(error instanceof ErasedMeanwhile)) throw error;
    return transaction();
  }
}
