import type { Database } from "../../src/db/database.ts";
import { newId } from "../../src/platform/ids.ts";

/** Sales, paid just now and not reported, of buyers who were erased: so many that older ones are not looked at. */
export async function addManyErasedSales({ tables, transaction }: Database): Promise<void> {
  const now = new Date();
  const sale = {
    provider: "generic",
    status: "paid" as const,
    amountMinor: 4990,
    currency: "BRL",
    paidAt: now,
    createdAt: now,
    updatedAt: now,
    erasedAt: now,
  };
  const sales = Array.from({ length: 2_000 }, () => ({ id: newId(), providerRef: newId(), ...sale }));
  await transaction((tx) => tx.insertMany(tables.payments, ["id"], sales));
}
