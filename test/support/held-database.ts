import type { Database } from "../../src/db/database.ts";

/** The database, of which the first transaction, all its work done, commits only when it is let go. */
export function heldDatabase(of: Database): { db: Database; done: Promise<void>; letGo: () => void } {
  const done = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  let isFirst = true;
  const db: Database = {
    ...of,
    transaction: (work, durability) => {
      if (!isFirst) return of.transaction(work, durability);
      isFirst = false;
      return of.transaction(async (tx) => {
        const result = await work(tx);
        done.resolve();
        await letGo.promise;
        return result;
      }, durability);
    },
  };
  return { db, done: done.promise, letGo: letGo.resolve };
}
