import { and, eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { permittedEvent } from "../meta/consent.ts";
import { initiateCheckoutEvent } from "../meta/step-event.ts";
import { enqueue, metaRoute } from "../outbox/enqueue.ts";
import { newId } from "../platform/ids.ts";
import { reportingPixel } from "../pools/find-pool-of.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type DistantDeps, distantVisit, whoseIsSaid } from "./distant-visit.ts";
import { fillPayment } from "./fill-payment.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import type { RegisterInput } from "./payment-input.ts";
import { registeredMoney } from "./provider-data.ts";
import { paymentFacts, sellingBot } from "./purchase-facts.ts";
import { reportBelated, reportIfVisitCame } from "./report-purchase.ts";
import { type Belongings, whoPays } from "./who-pays.ts";

/** What else is known of a payment that starts inside the bot. */
export interface BotSale {
  /** Made beforehand where the provider is to know the payment by its own id. */
  readonly paymentId?: string;
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly providerData?: Readonly<Record<string, unknown>>;
}

export type Registered =
  | { readonly kind: "created" | "existing"; readonly payment: Payment }
  /** The reference is taken by a payment of another amount or currency. */
  | { readonly kind: "conflict"; readonly payment: Payment }
  | { readonly kind: "unknown_bot" };

/** Registers a pending payment, once for each provider reference. */
export async function registerPayment(
  deps: PaymentDeps & DistantDeps,
  input: RegisterInput,
): Promise<Registered> {
  const distant = await distantVisit(deps, await whoseIsSaid(deps, input));
  const registered = await deps.db.transaction((tx) => registerInside(deps, tx, input, null, distant));
  if (registered.kind === "existing") await reportIfVisitCame(deps, registered.payment.id);
  return registered;
}

/**
 * The same inside a transaction that goes on, such as a webhook which creates and confirms at once.
 *
 * @param distant the visit as Redis knows it, for a token that the database does not have
 */
export async function registerInside(
  deps: PaymentDeps,
  tx: Tx,
  input: RegisterInput,
  sale: BotSale | null,
  distant: StoredVisit | null = null,
): Promise<Registered> {
  const { tables } = deps.db;
  const now = deps.now();
  const payer = await whoPays(deps, tx, input, sale, distant);
  if (payer === null) {
    const known = await findByReference(deps.db, tx, input.provider, input.provider_ref);
    return known ? compared(known, input) : { kind: "unknown_bot" };
  }
  const { visit, pool, belongings } = payer;
  const payment = {
    id: sale?.paymentId ?? newId(),
    provider: input.provider,
    providerRef: input.provider_ref,
    status: "pending" as const,
    amountMinor: input.amount_minor,
    currency: input.currency,
    ...belongings,
    offerId: sale?.offerId ?? null,
    providerData: sale?.providerData ?? null,
    paidAt: null,
    refundedAt: null,
    erasedAt: null,
    metaPurchaseSent: false,
    metaPurchaseSentAt: null,
    createdAt: input.created_at ? earlier(new Date(input.created_at), now) : now,
    updatedAt: now,
  };
  const [isNew] = await tx.insertMany(tables.payments, "id", [payment]);
  if (!isNew) return registerAgain(deps, tx, input, belongings, distant);

  await recordFunnelState(
    tx,
    tables,
    {
      state: "checkout_started",
      of: payment.id,
      poolId: payment.poolId,
      botId: payment.botId,
      botUserId: payment.botUserId,
      trackingToken: payment.trackingToken,
      offerId: payment.offerId,
      paymentId: payment.id,
    },
    now,
  );
  const pixelId = reportingPixel(pool);
  if (pool?.sendInitiateCheckout && pixelId) {
    const { facts, consent, botUser } = visit;
    const seller = await sellingBot(deps, tx, payment, botUser, pool);
    const event = initiateCheckoutEvent(paymentFacts(payment), facts, seller, now);
    const payload = permittedEvent(event, consent, deps.consentDenied);
    if (payload !== null) {
      await enqueue(tx, tables, [
        {
          destination: "meta",
          route: metaRoute(pixelId, pool.metaTestEventCode),
          eventName: "InitiateCheckout",
          eventId: `checkout_${payment.id}`,
          payload,
          poolId: pool.id,
          trackingToken: payment.trackingToken,
          paymentId: payment.id,
          botUserId: payment.botUserId,
        },
      ]);
    }
  }
  return { kind: "created", payment };
}

/** The payment of a provider reference, locked until the transaction ends. */
export async function findByReference(
  db: Database,
  tx: Tx,
  provider: string,
  providerRef: string,
): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const [payment] = await db.dialect.locked(
    tx
      .select()
      .from(payments)
      .where(and(eq(payments.provider, provider), eq(payments.providerRef, providerRef))),
  );
  return payment;
}

/** What the payment did not know it learns now; and where it was confirmed without that, it is reported at last. */
async function registerAgain(
  deps: PaymentDeps,
  tx: Tx,
  input: RegisterInput,
  belongings: Belongings,
  distant: StoredVisit | null,
): Promise<Registered> {
  const { provider, provider_ref } = input;
  const known = await findByReference(deps.db, tx, provider, provider_ref);
  if (!known) throw new Error(`payment ${provider} ${provider_ref} is neither new nor there`);
  const registered = compared(known, input);
  if (registered.kind !== "existing") return registered;
  const payment = await fillPayment(deps, tx, known, belongings);
  await reportBelated(deps, tx, payment, distant);
  return { kind: "existing", payment };
}

function compared(payment: Payment, input: RegisterInput): Registered {
  const { amountMinor, currency } = registeredMoney(payment);
  const same = amountMinor === input.amount_minor && currency === input.currency;
  return { kind: same ? "existing" : "conflict", payment };
}

/** A payment is never younger than now: Meta takes no event of the future. */
function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
