import type { MetaEvent } from "./event.ts";
import { checkoutId, leadId } from "./event-ids.ts";
import { eventTimeSeconds } from "./event-time.ts";
import { externalIdOf } from "./page-view.ts";
import { type PaymentFacts, type SellingBot, saleData } from "./payment-facts.ts";
import { type SessionFacts, userAgentOf, utmData } from "./session-facts.ts";
import { type Customer, userData } from "./user-data.ts";

/**
 * Somebody pressed /start: a Lead, one per session, or one per bot user where they came without a session.
 * Its `external_id` is the PageView's, so that Meta joins the two.
 */
export function leadEvent(
  session: SessionFacts | null,
  bot: { readonly userId: string; readonly fallbackUrl: string },
  startedAt: Date,
  now: Date,
): MetaEvent {
  return {
    ...stepEvent(session, bot.fallbackUrl, bot.userId, undefined),
    event_name: "Lead",
    event_time: eventTimeSeconds(startedAt, now, now),
    event_id: leadId(session?.trackingToken ?? bot.userId),
    custom_data: utmData(session?.utm ?? {}),
  };
}

/** A payment was registered: an InitiateCheckout, one per payment, with the Purchase's amount and contents. */
export function initiateCheckoutEvent(
  payment: PaymentFacts,
  session: SessionFacts | null,
  bot: SellingBot,
  now: Date,
): MetaEvent {
  const buyerId = payment.customerUserId?.trim() || bot.userId || payment.id;
  return {
    ...stepEvent(session, bot.fallbackUrl, buyerId, payment.customer ?? undefined),
    event_name: "InitiateCheckout",
    event_time: eventTimeSeconds(payment.createdAt, now, now),
    event_id: checkoutId(payment.id),
    custom_data: saleData(payment, session, bot),
  };
}

/** What the steps share: the session's identity and source, or the buyer's id and the bot's link without one. */
function stepEvent(
  session: SessionFacts | null,
  fallbackUrl: string,
  idWithoutSession: string,
  customer: Customer | undefined,
): Pick<MetaEvent, "action_source" | "event_source_url" | "user_data"> {
  return {
    action_source: "website",
    event_source_url: session?.eventSourceUrl || fallbackUrl,
    user_data: userData({
      externalId: session === null ? idWithoutSession : externalIdOf(session),
      fbp: session?.fbp ?? null,
      fbc: session?.fbc ?? null,
      clientIp: session?.clientIp ?? null,
      clientUserAgent: userAgentOf(session),
      customer,
    }),
  };
}
