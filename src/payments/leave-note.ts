import { eq } from "drizzle-orm";
import { recordAudit } from "../audit/audit-log.ts";
import type { Tx } from "../db/database.ts";
import type { Log } from "../platform/log.ts";
import { paymentNotes } from "../tracking/payment-notes.ts";
import type { Payment, PaymentDeps } from "./payment.ts";

/**
 * Leaves word for a person, once for each thing: in the audit log, on the payment, and loudly in the log. `payment` must
 * be locked.
 */
export async function leaveNote(
  { db, log, now }: Pick<PaymentDeps, "db" | "now"> & { readonly log: Log },
  tx: Tx,
  payment: Payment,
  text: string,
): Promise<void> {
  const { payments } = db.tables;
  const notes = paymentNotes(payment);
  if (notes.includes(text)) return;
  log.error(
    { payment: payment.id, provider: payment.provider, note: text },
    "a payment needs a person's eye",
  );
  await tx
    .update(payments)
    .set({ providerData: { ...payment.providerData, notes: [...notes, text] } })
    .where(eq(payments.id, payment.id));
  await recordAudit(tx, db.tables, {
    at: now(),
    actor: `provider:${payment.provider}`,
    action: "payment.note",
    subject: `payment:${payment.id}`,
    after: { note: text },
  });
}
