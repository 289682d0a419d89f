import type { CustomData } from "./event.ts";
import { metaAmount } from "./money.ts";
import { type SessionFacts, utmData } from "./session-facts.ts";
import type { HashedCustomer } from "./user-data.ts";

/** What an event needs to know of a payment; plain data, as its row holds it. */
export interface PaymentFacts {
  readonly id: string;
  /** The provider's own reference of the sale. */
  readonly providerRef: string | null;
  /** Whole minor units of the currency (cents, yen, fils); whole Stars for `XTR`. */
  readonly amountMinor: number;
  readonly currency: string;
  /** The operator's own id of the customer, plain. */
  readonly customerUserId: string | null;
  readonly customer: HashedCustomer | null;
  readonly content: PaymentContent | null;
  readonly createdAt: Date;
  readonly paidAt: Date | null;
}

/** What was bought. */
interface PaymentContent {
  readonly ids?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly type?: string | undefined;
}

/** The bot that sold, and what the pool says about its sales. */
export interface SellingBot {
  /** The bot user's id, where the payment belongs to one. */
  readonly userId: string | null;
  /** The pool's or the bot's link: `event_source_url` where no session is known. */
  readonly fallbackUrl: string;
  /** US cents for 1 000 Telegram Stars; null: Stars are not converted. */
  readonly starsUsdMinorPerThousand: number | null;
}

/**
 * `custom_data` of a sale. `order_id` is the provider's reference, which the operator finds in their provider's console,
 * else the payment's id. `value` and `currency` come together or, where the amount cannot be told to Meta, not at all:
 * the event is then refused before sending, with the reason, rather than sent with a false value.
 */
export function saleData(payment: PaymentFacts, session: SessionFacts | null, bot: SellingBot): CustomData {
  const contentIds = payment.content?.ids?.filter((id) => id !== "") ?? [];
  const type = payment.content?.type || (contentIds.length > 0 ? "product" : "");
  return {
    ...utmData(session?.utm ?? {}),
    ...metaAmount(payment.amountMinor, payment.currency, bot.starsUsdMinorPerThousand),
    ...(contentIds.length > 0 ? { content_ids: contentIds } : null),
    ...(payment.content?.name ? { content_name: payment.content.name } : null),
    ...(type ? { content_type: type } : null),
    order_id: payment.providerRef || payment.id,
  };
}
