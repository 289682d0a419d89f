import { and, desc, eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { MINUTE_MS } from "../platform/durations.ts";
import { newId } from "../platform/ids.ts";
import { OfferGoneError, providerOf, type Sale } from "../telegram/sale.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import { registerInside } from "./register.ts";

type Offer = Tables["offers"]["$inferSelect"];

/** Somebody who buys the same again within this time gets the payment that is open already. */
const YOUNG_MS = 30 * MINUTE_MS;
/** How many payments of one person and offer are looked through for an open one. */
const LOOKED_THROUGH = 20;

/**
 * Registers the pending payment of a sale inside the caller's transaction, and asks nobody outside: a person's row is
 * locked, so that two taps at once are one sale, and the offer is kept from being removed while it is sold, to any number
 * at once. The provider will know the payment by its id. Answers the offer as it is sold: since whoever asks has read it, it
 * may have been changed.
 * @throws OfferGoneError where the offer does not exist, or is not for sale
 */
export async function beginCheckout(
  deps: PaymentDeps,
  tx: Tx,
  sale: Sale,
): Promise<{ readonly paymentId: string; readonly offer: Offer }> {
  const { offers, botUsers } = deps.db.tables;
  await deps.db.dialect.locked(
    tx.select({ id: botUsers.id }).from(botUsers).where(eq(botUsers.id, sale.botUserId)),
  );
  const [offer] = await deps.db.dialect.keyShared(
    tx.select().from(offers).where(eq(offers.id, sale.offerId)),
  );
  if (!offer?.enabled) throw new OfferGoneError(`offer ${sale.offerId} is not for sale any more`);
  const open = await openPayment(deps, tx, sale, offer);
  if (open) return { paymentId: open.id, offer };
  const paymentId = newId();
  const registered = await registerInside(deps, tx, {
    input: {
      provider: providerOf(offer),
      provider_ref: paymentId,
      amount_minor: offer.priceMinor,
      currency: offer.currency,
      tracking_token: sale.trackingToken ?? undefined,
      content: { ids: [String(offer.id)], name: offer.name },
    },
    sale: {
      paymentId,
      botId: sale.botId,
      botUserId: sale.botUserId,
      offerId: offer.id,
      providerData: { deduplicate: sale.deduplicate },
    },
    redisCopy: null,
  });
  if (registered.kind === "unknown_bot") throw new Error(`bot ${sale.botId} does not exist`);
  return { paymentId: registered.payment.id, offer };
}

/**
 * The payment that this very sale has already, or a young one that still waits for the same money. Who came back by another
 * ad buys by that one: it is the ad's sale, and perhaps another pixel's.
 */
async function openPayment(
  { db, now }: PaymentDeps,
  tx: Tx,
  { botUserId, deduplicate, trackingToken }: Sale,
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
        payment.currency === offer.currency &&
        (payment.trackingToken === null || payment.trackingToken === trackingToken),
    )
  );
}
