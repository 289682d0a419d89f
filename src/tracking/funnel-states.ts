import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { FunnelState } from "../db/vocabulary.ts";

/** A step that somebody reached. */
interface FunnelStep {
  readonly state: FunnelState;
  /** What makes it the same step when it is reported again, within its state: a payment, a visit, a person. */
  readonly of: string;
  readonly poolId: number | null;
  readonly botId: number | null;
  readonly botUserId: number | null;
  readonly trackingToken: string | null;
  readonly offerId?: number | null;
  readonly paymentId?: string | null;
}

/** Writes a step down, once. Answers whether it is new. */
export async function recordFunnelState(
  tx: Tx,
  tables: Tables,
  { of, ...step }: FunnelStep,
  now: Date,
): Promise<boolean> {
  const [isNew = false] = await tx.insertMany(
    tables.funnelStates,
    ["dedupKey"],
    [
      {
        offerId: null,
        paymentId: null,
        ...step,
        dedupKey: dedupKey(step.state, of),
        createdAt: now,
      },
    ],
  );
  return isNew;
}

/** The steps that are a payment's own, each at most once. */
const PAYMENT_STEPS = ["checkout_started", "paid", "delivered", "refunded"] as const;

/** A payment's step, out of its row. */
export function paymentStep(
  state: (typeof PAYMENT_STEPS)[number],
  payment: Tables["payments"]["$inferSelect"],
): FunnelStep {
  const { id, poolId, botId, botUserId, trackingToken, offerId } = payment;
  return { state, of: id, poolId, botId, botUserId, trackingToken, offerId, paymentId: id };
}

/** `dedup_key` of every step that a payment may have reached. */
export function paymentStepKeys(paymentId: string): string[] {
  return PAYMENT_STEPS.map((state) => dedupKey(state, paymentId));
}

function dedupKey(state: FunnelState, of: string): string {
  return `${state}:${of}`;
}
