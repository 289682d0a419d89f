import { and, eq } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Payment } from "./payment.ts";

/** How a provider and we name the same payment. */
export interface Reference {
  readonly provider: string;
  readonly providerRef: string;
}

/** The payment of a provider's reference. */
export async function findByReference(
  reader: Reader,
  db: Database,
  reference: Reference,
): Promise<Payment | undefined> {
  const [payment] = await reader.select().from(db.tables.payments).where(hasReference(db, reference));
  return payment;
}

/** The same, locked until the transaction ends. */
export async function lockByReference(
  tx: Tx,
  db: Database,
  reference: Reference,
): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const [payment] = await db.dialect.locked(tx.select().from(payments).where(hasReference(db, reference)));
  return payment;
}

/** The payment of our own id, locked until the transaction ends. */
export async function lockById(tx: Tx, db: Database, id: string): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const [payment] = await db.dialect.locked(tx.select().from(payments).where(eq(payments.id, id)));
  return payment;
}

function hasReference({ tables: { payments } }: Database, { provider, providerRef }: Reference) {
  return and(eq(payments.provider, provider), eq(payments.providerRef, providerRef));
}
