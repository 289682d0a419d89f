import type { Tx } from "../db/database.ts";

/** Somebody wants to buy an offer in the chat. */
export interface Sale {
  readonly botId: number;
  readonly botUserId: number;
  readonly offerId: number;
  readonly trackingToken: string | null;
  /** The same text means the same sale: a payment is registered once for it. */
  readonly deduplicate: string;
}

/**
 * Where the buyer pays: the provider's page, or Pix's copy-and-paste code with perhaps a page of its QR code. Unpayable is
 * what no repeated question will make payable; the reason is the operator's to read.
 */
export type Checkout =
  | { readonly kind: "link"; readonly url: string }
  | { readonly kind: "pix"; readonly code: string; readonly url: string | null }
  | { readonly kind: "unpayable"; readonly reason: string };

/** Money that Telegram says it took or gave back for a payment of ours. */
export interface TelegramCharge {
  readonly paymentId: string;
  /** The bot that Telegram told it to. */
  readonly botId: number;
  /** Telegram's `telegram_payment_charge_id`. */
  readonly chargeId: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/** What the funnel asks of payments; the process hands in the real thing. */
export interface Sales {
  /** Registers the pending payment inside the given transaction; one that this person has open already stays it. */
  beginCheckout(tx: Tx, sale: Sale): Promise<{ readonly paymentId: string }>;
  /** The payment's checkout, made at the provider once. Rejects, with a reason fit to be shown, where that fails now. */
  checkoutOf(paymentId: string): Promise<Checkout>;
  /**
   * Gathers what confirming needs from outside the database, and answers how to confirm inside a transaction.
   * Confirming again changes nothing.
   */
  prepareConfirmation(charge: TelegramCharge): Promise<(tx: Tx) => Promise<void>>;
  /** After the confirmation's commit: reports the payment where its visit came into the database meanwhile. */
  afterConfirmation(paymentId: string): Promise<void>;
  refundPayment(tx: Tx, charge: TelegramCharge): Promise<void>;
}

/** `payments.provider` of what is paid inside Telegram. */
export const TELEGRAM_PROVIDER = "telegram";
