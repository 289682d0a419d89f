import { eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import { findSessionOf } from "../tracking/find-session.ts";
import { type ApplyDeps, applyEvent } from "./apply-event.ts";
import type { PaymentEvent } from "./decide.ts";
import type { Payment } from "./payment.ts";

/** Money that Telegram Payments took or gave back for one of our payments. */
export interface Charge {
  readonly paymentId: string;
  /** Telegram's `telegram_payment_charge_id`, by which Stars are given back. */
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/**
 * Gathers what confirming a charge needs from outside the database, and answers how to confirm it inside a
 * transaction. Confirming it again changes nothing.
 */
export async function prepareConfirmation(
  deps: ApplyDeps,
  charge: Charge,
): Promise<(tx: Tx) => Promise<void>> {
  const { db } = deps;
  const { payments } = db.tables;
  const [known] = await db
    .select({ token: payments.trackingToken })
    .from(payments)
    .where(eq(payments.id, charge.paymentId));
  const token = known?.token ?? null;
  const isHere =
    token !== null && (await findSessionOf(db, db.tables, { trackingToken: token, botUser: null })) !== null;
  const distant = token === null || isHere ? null : await deps.trackingData(token);
  const { amountMinor, currency } = charge;
  return (tx) => apply(deps, tx, charge, { kind: "paid", amountMinor, currency }, distant);
}

/** Telegram gave the money back. */
export function refundCharge(deps: ApplyDeps, tx: Tx, charge: Charge): Promise<void> {
  return apply(deps, tx, charge, { kind: "refunded" }, null);
}

async function apply(
  deps: ApplyDeps,
  tx: Tx,
  charge: Charge,
  event: PaymentEvent,
  distant: Parameters<typeof applyEvent>[4],
): Promise<void> {
  const { payments } = deps.db.tables;
  const [payment] = await deps.db.dialect.locked(
    tx.select().from(payments).where(eq(payments.id, charge.paymentId)),
  );
  if (!payment) {
    const { paymentId, chargeId } = charge;
    deps.log.error({ payment: paymentId, chargeId }, "Telegram reports money for a payment that is not here");
    return;
  }
  const noted = await noteCharge(deps, tx, payment, charge);
  await applyEvent(deps, tx, noted, event, distant);
}

/** The charge's id stays with the payment: without it nobody could give the money back. */
async function noteCharge({ db }: ApplyDeps, tx: Tx, payment: Payment, charge: Charge): Promise<Payment> {
  const { payments } = db.tables;
  const providerData = { ...payment.providerData, telegram_payment_charge_id: charge.chargeId };
  await tx.update(payments).set({ providerData }).where(eq(payments.id, payment.id));
  return { ...payment, providerData };
}
