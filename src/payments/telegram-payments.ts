import type { Tx } from "../db/database.ts";
import { TELEGRAM_PROVIDER, type TelegramCharge } from "../telegram/sale.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Applied, type ApplyDeps, applyEvent } from "./apply-event.ts";
import { lockById } from "./find-payment.ts";
import type { Payment } from "./payment.ts";

/**
 * Telegram took the money (`successful_payment`): confirms the payment inside the caller's transaction. The same charge
 * again changes nothing; another charge of a payment that is paid leaves a note, because somebody paid twice.
 *
 * @param redisCopy the visit as Redis knows it, for a token that the database does not have
 */
export async function confirmTelegramPayment(
  deps: ApplyDeps,
  tx: Tx,
  charge: TelegramCharge,
  redisCopy: StoredVisit | null = null,
): Promise<Applied> {
  const payment = await findTelegramPayment(deps, tx, charge);
  if (!payment) return "unchanged";
  const { amountMinor, currency, chargeId } = charge;
  const event = { kind: "paid", amountMinor, currency, chargeId } as const;
  return applyEvent(deps, tx, { payment, event, redisCopy });
}

/** Telegram gave the money back (`refunded_payment`). A second charge that is given back leaves the first one paid. */
export async function refundTelegramPayment(
  deps: ApplyDeps,
  tx: Tx,
  charge: TelegramCharge,
): Promise<Applied> {
  const payment = await findTelegramPayment(deps, tx, charge);
  if (!payment) return "unchanged";
  const event = { kind: "refunded", chargeId: charge.chargeId } as const;
  return applyEvent(deps, tx, { payment, event, redisCopy: null });
}

/** The payment, locked; undefined, and loudly so, where the money is for none of ours. */
async function findTelegramPayment(
  { db, log }: ApplyDeps,
  tx: Tx,
  { paymentId, botId, chargeId }: TelegramCharge,
): Promise<Payment | undefined> {
  const payment = await lockById(tx, db, paymentId);
  if (payment?.provider === TELEGRAM_PROVIDER && payment.botId === botId) return payment;
  log.error(
    { payment: paymentId, botId, chargeId },
    "Telegram reports money for a payment that is not Telegram's, or not this bot's",
  );
  return undefined;
}
