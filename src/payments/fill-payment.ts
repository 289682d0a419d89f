import { eq, inArray, sql } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { PoolRow } from "../pools/pool-view.ts";
import { paymentStepKeys } from "../tracking/funnel-states.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { Belongings } from "./who-pays.ts";

/**
 * Writes into a payment what was not known of it before; what is there stays. Its steps in the funnel learn it too. A
 * payment whose buyer was erased learns nothing any more. Answers the payment as it is now.
 *
 * @param pool whose the payment is, by all that is known now; it goes before what is there, which may be a guess by the bot
 */
export async function fillPayment(
  { db, now }: PaymentDeps,
  tx: Tx,
  payment: Payment,
  more: Partial<Belongings>,
  pool: Pick<PoolRow, "id"> | null = null,
): Promise<Payment> {
  if (payment.erasedAt !== null) return payment;
  const before = belongingsOf(payment);
  const filled: Belongings = {
    poolId: pool?.id ?? before.poolId ?? more.poolId ?? null,
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
  const { poolId, botId, botUserId, trackingToken } = filled;
  await tx
    .update(funnelStates)
    .set({
      poolId: sql`coalesce(${pool?.id ?? null}, ${funnelStates.poolId}, ${poolId})`,
      botId: sql`coalesce(${funnelStates.botId}, ${botId})`,
      botUserId: sql`coalesce(${funnelStates.botUserId}, ${botUserId})`,
      trackingToken: sql`coalesce(${funnelStates.trackingToken}, ${trackingToken})`,
    })
    .where(inArray(funnelStates.dedupKey, paymentStepKeys(payment.id)));
  return { ...payment, ...filled };
}

function belongingsOf(payment: Payment): Belongings {
  const { poolId, botId, botUserId, trackingToken, customerUserId, content } = payment;
  const customer = payment.customer ?? {};
  return { poolId, botId, botUserId, trackingToken, customerUserId, customer, content };
}
