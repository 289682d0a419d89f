import { TELEGRAM_STARS } from "../money/currencies.ts";

/** `provider` of an offer or a payment that is paid inside Telegram, in money or in Stars. */
export const TELEGRAM_PROVIDER = "telegram";

/** Who takes the money for an offer: Stars are paid inside Telegram, whatever else the offer says. */
export function providerOf({
  provider,
  currency,
}: {
  readonly provider: string;
  readonly currency: string;
}): string {
  return currency === TELEGRAM_STARS ? TELEGRAM_PROVIDER : provider;
}

/** Somebody wants to buy an offer in the chat. */
export interface Sale {
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly trackingToken: string | null;
  /** The same text means the same sale: a payment is registered once for it. */
  readonly deduplicate: string;
}

/** Somebody wants to buy an offer that was removed, or taken off sale, a moment ago. */
export class OfferGoneError extends Error {
  override readonly name = "OfferGoneError";
}

/** Where the buyer pays: the provider's page, or Pix's copy-and-paste code with perhaps a page of its QR code. */
export type WayToPay =
  | { readonly kind: "link"; readonly url: string }
  | { readonly kind: "pix"; readonly code: string; readonly url: string | null };

/** What no repeated question will make payable; the reason is the operator's to read. */
export interface Unpayable {
  readonly kind: "unpayable";
  readonly reason: string;
}

/** Money that Telegram says it took, or gave back, for a payment of ours. */
export interface TelegramCharge {
  readonly paymentId: string;
  /** The bot that Telegram told it to. */
  readonly botId: number;
  /** Telegram's `telegram_payment_charge_id`. */
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
}
