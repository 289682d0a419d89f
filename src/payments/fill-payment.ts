import { eq, inArray } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import { paymentStepKeys } from "../tracking/funnel-states.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { Belongings } from "./who-pays.ts";

interface Learnt extends Partial<Belongings> {
  /** Whose the payment is, by all that is known now: goes before what is there, which may be a guess by the bot. */
  readonly surePoolId?: number | null;
}

/**
 * Writes into a payment what was not known of it before; what is there stays. Its steps in the funnel learn it too. A
 * payment whose buyer was erased learns nothing any more. Answers the payment as it is now.
 */
export async function fillPayment(
  { db, now }: PaymentDeps,
  tx: Tx,
  payment: Payment,
  { surePoolId = null, ...more }: Learnt,
): Promise<Payment> {
  if (payment.erasedAt !== null) return payment;
  const before = belongingsOf(payment);
  const filled: Belongings = {
    poolId: surePoolId ?? before.poolId ?? more.poolId ?? null,
    botId: before.botId ?? more.botId ?? null,
    botUserId: before.botUserId ?? more.botUserId ?? null,
    trackingToken: before.trackingToken ?? more.trackingToken ?? null,
    customerUserId: before.customerUserId ?? more.customerUserId ?? null,
    customer: { ...more.customer, ...before.customer },
    content: before.content ?? more.content ?? null,
  };
  if (Bun.deepEquals(filled, before)) return payment;
  const { payments, funnelStates } = db.tables;
  await tx
    .update(payments)
    .set({ ...filled, updatedAt: now() })
    .where(eq(payments.id, payment.id));
  // Written anew, under numbers of today: the counts by hour look for new rows, whatever hour they tell of.
  const steps = await tx
    .delete(funnelStates)
    .where(inArray(funnelStates.dedupKey, paymentStepKeys(payment.id)))
    .returning();
  const moved = steps
    .toSorted((a, b) => a.id - b.id)
    .map(({ id: _, ...step }) => ({
      ...step,
      poolId: surePoolId ?? step.poolId ?? filled.poolId,
      botId: step.botId ?? filled.botId,
      botUserId: step.botUserId ?? filled.botUserId,
      trackingToken: step.trackingToken ?? filled.trackingToken,
    }));
  await tx.insertMany(funnelStates, ["dedupKey"], moved);
  return { ...payment, ...filled };
}

function belongingsOf(payment: Payment): Belongings {
  const { poolId, botId, botUserId, trackingToken, customerUserId, content } = payment;
  const customer = payment.customer ?? {};
  return { poolId, botId, botUserId, trackingToken, customerUserId, customer, content };
}
