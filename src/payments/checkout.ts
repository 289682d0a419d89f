import { and, desc, eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { TELEGRAM_STARS } from "../meta/currencies.ts";
import { newId } from "../platform/ids.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import {
  type Checkout,
  type CheckoutRequest,
  type PaymentProvider,
  ProviderError,
} from "./providers/adapter.ts";
import { registerInside } from "./register.ts";
import { storedCheckout } from "./stored-checkout.ts";
import { TELEGRAM_PROVIDER } from "./telegram-payments.ts";

/** Somebody wants to buy an offer in the chat. */
export interface Sale {
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly trackingToken: string | null;
  /** The same text means the same sale: a payment is registered once for it. */
  readonly deduplicate: string;
}

export interface CheckoutDeps extends PaymentDeps {
  readonly providers: ReadonlyMap<string, PaymentProvider>;
}

type Offer = Tables["offers"]["$inferSelect"];

/** Somebody who buys the same again within this time gets the payment that is open already. */
const YOUNG_MS = 30 * 60_000;
/** How many payments of one person and offer are looked through for an open one. */
const LOOKED_THROUGH = 20;

/**
 * Registers the pending payment of a sale inside the caller's transaction, and asks nobody outside: a person's row is
 * locked, so that two taps at once are one sale. The provider will know the payment by its id.
 * @throws Error where the offer does not exist
 */
export async function beginCheckout(
  deps: PaymentDeps,
  tx: Tx,
  sale: Sale,
): Promise<{ readonly paymentId: string }> {
  const { offers, botUsers } = deps.db.tables;
  await deps.db.dialect.locked(
    tx.select({ id: botUsers.id }).from(botUsers).where(eq(botUsers.id, sale.botUserId)),
  );
  const [offer] = await tx.select().from(offers).where(eq(offers.id, sale.offerId));
  if (!offer) throw new Error(`offer ${sale.offerId} does not exist`);
  const open = await openPayment(deps, tx, sale, offer);
  if (open) return { paymentId: open.id };
  const paymentId = newId();
  const registered = await registerInside(
    deps,
    tx,
    {
      provider: providerOf(offer),
      provider_ref: paymentId,
      amount_minor: offer.priceMinor,
      currency: offer.currency,
      tracking_token: sale.trackingToken ?? undefined,
      content: { ids: [String(offer.id)], name: offer.name },
    },
    {
      paymentId,
      botId: sale.botId,
      botUserId: sale.botUserId,
      offerId: offer.id,
      // The title stands still, so that the provider is asked the same again however often the offer is renamed.
      providerData: { deduplicate: sale.deduplicate, title: offer.name },
    },
  );
  if (registered.kind === "unknown_bot") throw new Error(`bot ${sale.botId} does not exist`);
  return { paymentId: registered.payment.id };
}

/** Stars are paid inside Telegram, whatever else the offer says. */
function providerOf({ provider, currency }: Offer): string {
  return currency === TELEGRAM_STARS ? TELEGRAM_PROVIDER : provider;
}

/** The payment that this very sale has already, or a young one that still waits for the same money. */
async function openPayment(
  { db, now }: PaymentDeps,
  tx: Tx,
  { botUserId, deduplicate }: Sale,
  offer: Offer,
): Promise<Payment | undefined> {
  const { payments } = db.tables;
  const recent = await tx
    .select()
    .from(payments)
    .where(and(eq(payments.botUserId, botUserId), eq(payments.offerId, offer.id)))
    .orderBy(desc(payments.createdAt))
    .limit(LOOKED_THROUGH);
  const youngest = now().getTime() - YOUNG_MS;
  return (
    recent.find(({ providerData }) => providerData?.deduplicate === deduplicate) ??
    recent.find(
      (payment) =>
        payment.status === "pending" &&
        payment.createdAt.getTime() > youngest &&
        payment.provider === providerOf(offer) &&
        payment.amountMinor === offer.priceMinor &&
        payment.currency === offer.currency,
    )
  );
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
  const title = payment.providerData?.title;
  return {
    reference: payment.id,
    title: typeof title === "string" ? title : (payment.content?.name ?? payment.id),
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
    const [payment] = await db.dialect.locked(tx.select().from(payments).where(eq(payments.id, paymentId)));
    const stored = payment && storedCheckout(payment);
    if (stored) return stored;
    await tx
      .update(payments)
      .set({ providerData: { ...payment?.providerData, checkout }, updatedAt: now() })
      .where(eq(payments.id, paymentId));
    return checkout;
  });
}
