import type { MetaEvent, UserData } from "./event.ts";
import { purchaseId } from "./event-ids.ts";
import { eventTimeSeconds } from "./event-time.ts";
import { hasMatchableKey } from "./matching.ts";
import { type PaymentFacts, type SellingBot, saleData } from "./payment-facts.ts";
import { type SessionFacts, userAgentOf } from "./session-facts.ts";
import { userData } from "./user-data.ts";

/**
 * The one Purchase of a payment, server side only, sent whether or not a PageView ever went.
 *
 * Its time is the payment's `created_at`, or `paid_at` where that is too old for Meta. Without a session it goes with
 * what is known: the pool's or the bot's link as its source, and `UNKNOWN_USER_AGENT` as its browser, since Meta requires
 * both of website events.
 */
export function purchaseEvent(
  payment: PaymentFacts,
  session: SessionFacts | null,
  bot: SellingBot,
  now: Date,
): MetaEvent {
  return {
    event_name: "Purchase",
    event_time: eventTimeSeconds(payment.createdAt, payment.paidAt ?? now, now),
    event_id: purchaseId(payment.id),
    action_source: "website",
    event_source_url: session?.eventSourceUrl || bot.fallbackUrl,
    user_data: buyerData(payment, session, bot),
    custom_data: saleData(payment, session, bot),
  };
}

/**
 * Who bought: `external_id` is the operator's customer id, else the bot user's, never the click id. Only where nothing
 * at all would let Meta take the event (no id, no address, no cookie, no e-mail) does an id that Ponte made stand in:
 * the session's token (the PageView's `external_id` where there was no click id), else the payment's id. The sale then
 * counts, unmatched, instead of being refused.
 */
function buyerData(payment: PaymentFacts, session: SessionFacts | null, bot: SellingBot): UserData {
  const known = {
    externalId: payment.customerUserId?.trim() || bot.userId,
    fbp: session?.fbp ?? null,
    fbc: session?.fbc ?? null,
    clientIp: session?.clientIp ?? null,
    clientUserAgent: userAgentOf(session),
    customer: payment.customer ?? undefined,
  };
  const data = userData(known);
  if (hasMatchableKey(data)) return data;
  return userData({ ...known, externalId: session?.trackingToken ?? payment.id });
}
