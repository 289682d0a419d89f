import type { Database, Tx } from "../db/database.ts";

/** The payment's buyer was erased after a transaction had looked, and before it had the payment's lock. */
export class ErasedMeanwhile extends Error {
  override readonly name = "ErasedMeanwhile";
}

/**
 * A transaction that writes of the buyer of a payment before it locks that: where they were erased in between
 * (`ErasedMeanwhile`), nothing of it stays, and it begins anew, now knowing.
 */
export async function buyersTransaction<T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await db.transaction(work);
  } catch (error) {
    if (!(error instanceof ErasedMeanwhile)) throw error;
    return db.transaction(work);
  }
}
