import { eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Applied, type ApplyDeps, applyEvent } from "./apply-event.ts";
import type { PaymentEvent } from "./decide.ts";
import type { Payment } from "./payment.ts";

/** `payments.provider` of what is paid inside Telegram, in money or in Stars. */
export const TELEGRAM_PROVIDER = "telegram";

/** Money that Telegram says it took, or gave back, for a payment of ours. */
export interface TelegramCharge {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** Telegram's `telegram_payment_charge_id`. */
  readonly chargeId: string;
}

/**
 * Telegram took the money (`successful_payment`): confirms the payment inside the caller's transaction. The same charge
 * again changes nothing; another charge of a payment that is paid leaves a note, because somebody paid twice.
 *
 * @param distant the visit as Redis knows it, for a token that the database does not have
 */
export async function confirmTelegramPayment(
  deps: ApplyDeps,
  tx: Tx,
  charge: TelegramCharge,
  distant: StoredVisit | null = null,
): Promise<Applied> {
  const payment = await findTelegramPayment(deps, tx, charge);
  if (!payment) return "unchanged";
  const { amountMinor, currency, chargeId } = charge;
  const known = chargeOf(payment);
  if (known !== null && known !== chargeId) {
    const note = `paid twice: ${amountMinor} ${currency} by charge ${chargeId} after ${known}`;
    return applyEvent(deps, tx, payment, { kind: "noted", note }, distant);
  }
  const marked = known === null ? await keepCharge(deps, tx, payment, chargeId) : payment;
  const event: PaymentEvent = { kind: "paid", amountMinor, currency };
  return applyEvent(deps, tx, marked, event, distant);
}

/** Telegram gave the money back (`refunded_payment`). A second charge that is given back leaves the first one paid. */
export async function refundTelegramPayment(
  deps: ApplyDeps,
  tx: Tx,
  charge: TelegramCharge,
): Promise<Applied> {
  const payment = await findTelegramPayment(deps, tx, charge);
  if (!payment) return "unchanged";
  const known = chargeOf(payment);
  const isOther = known !== null && known !== charge.chargeId;
  const event: PaymentEvent = isOther
    ? { kind: "noted", note: `charge ${charge.chargeId} was refunded; ${known} stays paid` }
    : { kind: "refunded" };
  return applyEvent(deps, tx, payment, event, null);
}

/** The payment, locked; undefined, and loudly so, where the money is for none of ours. */
async function findTelegramPayment(
  { db, log }: ApplyDeps,
  tx: Tx,
  { paymentId, chargeId }: TelegramCharge,
): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const [payment] = await db.dialect.locked(tx.select().from(payments).where(eq(payments.id, paymentId)));
  if (payment?.provider === TELEGRAM_PROVIDER) return payment;
  log.error({ payment: paymentId, chargeId }, "Telegram reports money for a payment that is not Telegram's");
  return undefined;
}

function chargeOf({ providerData }: Payment): string | null {
  const charge = providerData?.telegramCharge;
  return typeof charge === "string" ? charge : null;
}

async function keepCharge({ db }: ApplyDeps, tx: Tx, payment: Payment, chargeId: string): Promise<Payment> {
  const { payments } = db.tables;
  const providerData = { ...payment.providerData, telegramCharge: chargeId };
  await tx.update(payments).set({ providerData }).where(eq(payments.id, payment.id));
  return { ...payment, providerData };
}
