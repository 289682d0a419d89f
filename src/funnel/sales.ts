import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Sale, TelegramCharge, Unpayable, WayToPay } from "../telegram/sale.ts";

type Offer = Tables["offers"]["$inferSelect"];

/** What the funnel asks of payments; the process hands in the real thing. */
export interface Sales {
  /**
   * Registers the pending payment inside the given transaction; one that this person has open already stays it. Answers the
   * offer as it is sold.
   * @throws OfferGoneError where the offer is not for sale any more
   */
  beginCheckout(tx: Tx, sale: Sale): Promise<{ readonly paymentId: string; readonly offer: Offer }>;
  /** The payment's checkout, made at the provider once. Rejects, with a reason fit to be shown, where that fails now. */
  checkoutOf(paymentId: string): Promise<WayToPay | Unpayable>;
  /**
   * Gathers what confirming needs from outside the database, and answers how to confirm inside a transaction.
   * Confirming again changes nothing.
   */
  prepareConfirmation(charge: TelegramCharge): Promise<(tx: Tx) => Promise<void>>;
  /** After the confirmation's commit: reports the payment where its visit came into the database meanwhile. */
  afterConfirmation(paymentId: string): Promise<void>;
  refundPayment(tx: Tx, charge: TelegramCharge): Promise<void>;
}
