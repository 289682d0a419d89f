import { eq } from "drizzle-orm";
import { lockById } from "./find-payment.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import {
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  ProviderError,
} from "./providers/adapter.ts";
import { storedCheckout } from "./stored-checkout.ts";

export interface CheckoutDeps extends PaymentDeps {
  readonly providers: ReadonlyMap<string, PaymentProvider>;
}

/**
 * The payment's checkout. The provider is asked once and its answer kept; asked twice at the same moment, it knows the
 * payment's id as the idempotency key where it takes one.
 * @throws ProviderError with a reason fit to be shown to the operator, permanent where asking again is in vain
 */
export async function checkoutOf(deps: CheckoutDeps, paymentId: string): Promise<Checkout> {
  const { payments, bots } = deps.db.tables;
  const [row] = await deps.db
    .select({ payment: payments, bot: bots.username })
    .from(payments)
    .leftJoin(bots, eq(bots.id, payments.botId))
    .where(eq(payments.id, paymentId));
  if (!row) throw unpayable(`Payment ${paymentId} does not exist.`);
  const { payment, bot } = row;
  const stored = storedCheckout(payment);
  if (stored) return stored;
  const provider = deps.providers.get(payment.provider);
  if (!provider?.createCheckout) {
    throw unpayable(
      provider
        ? `The payment provider "${payment.provider}" makes no checkouts. Choose another one for the offer.`
        : `The payment provider "${payment.provider}" is not configured. Set its variables, then start again.`,
    );
  }
  if (payment.status === "refunded" || payment.status === "chargeback" || payment.status === "paid") {
    throw unpayable(`Payment ${paymentId} is ${payment.status}; there is nothing to pay.`);
  }
  const checkout = await provider.createCheckout(requestOf(deps, payment, bot));
  return keepCheckout(deps, paymentId, checkout);
}

function unpayable(reason: string): ProviderError {
  return new ProviderError(reason, { isPermanent: true });
}

function requestOf({ publicUrl }: CheckoutDeps, payment: Payment, bot: string | null): CheckoutRequest {
  return {
    reference: payment.id,
    // As it was when the sale began: the provider is asked the same again however often the offer is renamed.
    title: payment.content?.name ?? payment.id,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    webhookUrl: publicUrl === undefined ? null : `${publicUrl}/api/payments/webhooks/${payment.provider}`,
    returnUrl: bot === null ? "https://t.me/" : `https://t.me/${bot}`,
  };
}

/** Of two that came at the same time the first stays, for both. */
function keepCheckout({ db, now }: CheckoutDeps, paymentId: string, checkout: Checkout): Promise<Checkout> {
  const { payments } = db.tables;
  return db.transaction(async (tx) => {
    const payment = await lockById(tx, db, paymentId);
    const stored = payment && storedCheckout(payment);
    if (stored) return stored;
    await tx
      .update(payments)
      .set({ providerData: { ...payment?.providerData, checkout }, updatedAt: now() })
      .where(eq(payments.id, paymentId));
    return checkout;
  });
}
