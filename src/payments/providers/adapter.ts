import { payableIssue } from "../../offers/payable.ts";
import type { WayToPay } from "../../telegram/sale.ts";
import type { PaymentEvent } from "../decide.ts";
import type { PaymentDetails, RegisterInput } from "../payment-input.ts";

/** A provider's webhook, as it came. */
export interface WebhookRequest {
  /** What signatures are made over. */
  readonly bytes: Uint8Array;
  /** The same as text, without a byte-order mark. */
  readonly text: string;
  readonly headers: Headers;
  readonly query: URLSearchParams;
  /**
   * Whether a payment of ours has this reference: what anybody can send is worth no question to the provider otherwise.
   * With `checkoutRef` it must also be the provider's own id of the payment's checkout, where one was made for it.
   */
  isKnown(providerRef: string, checkoutRef?: string): Promise<boolean>;
}

/** What a webhook turned out to be. */
export type WebhookReading =
  /** Not from the provider, or too old: 401. */
  | { readonly kind: "forged"; readonly reason: string }
  /** From the provider, and not understood: 400. */
  | {
      readonly kind: "malformed";
      readonly reason: string;
      readonly errors?: readonly { path: string; message: string }[];
    }
  /** From the provider, about something that does not concern payments: 200. */
  | { readonly kind: "ignored" }
  /** About no payment of ours, and nothing to make one from: 404, so that it is sent again. */
  | { readonly kind: "unknown"; readonly providerRef: string }
  | (PaymentReport & { readonly kind: "event" });

/** What a provider reports of one of its references. */
export interface PaymentReport {
  readonly providerRef: string;
  readonly event: PaymentEvent;
  /** What a payment that nobody registered can be made from; null where the webhook does not say enough. */
  readonly registration: RegisterInput | null;
  /** Whose the payment is, where the webhook says so: fills what nobody has said before. */
  readonly details?: PaymentDetails;
  /** The reference is the provider's own id: the webhook carries none of ours, and may be about no sale of ours. */
  readonly isProvidersId?: boolean;
  /** The provider's own id of the checkout, where only that proves whose payment this is. */
  readonly checkoutRef?: string;
}

/** What somebody buys, for a checkout. */
export interface CheckoutRequest {
  /** Our reference, by which the provider names the payment in its webhook. */
  readonly reference: string;
  readonly title: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** Where the provider sends its webhook; null where our own public address is not known. */
  readonly webhookUrl: string | null;
  /** Where the buyer goes back to. */
  readonly returnUrl: string;
}

/** A way to pay, with the provider's own id of it. */
export type Checkout = WayToPay & { readonly providerRef: string };

/** A payment provider: how its webhooks are told from forgeries and read, and how a checkout is made. */
export interface PaymentProvider {
  readonly name: string;
  /** Verifies, then reads; may ask the provider's API where its documentation demands it. @throws ProviderError */
  read(request: WebhookRequest): Promise<WebhookReading>;
  /** Absent where checkouts are made elsewhere. @throws ProviderError */
  createCheckout?(request: CheckoutRequest): Promise<Checkout>;
}

/** The provider's API failed or refused; the message says what to do, or is the provider's, and holds no secret. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  /** When asking again makes sense. */
  readonly retryAfterSeconds: number;
  /** Asking again is in vain: this very payment is the trouble, and others at the same provider are not. */
  readonly isPermanent: boolean;

  constructor(
    message: string,
    {
      retryAfterSeconds = 5,
      isPermanent = false,
    }: { retryAfterSeconds?: number; isPermanent?: boolean } = {},
  ) {
    super(message);
    this.retryAfterSeconds = retryAfterSeconds;
    this.isPermanent = isPermanent;
  }
}

/** @throws ProviderError, permanent, where the provider could never take this price. */
export function assertPayable(provider: string, { amountMinor, currency }: CheckoutRequest): void {
  const issue = payableIssue({ provider, priceMinor: amountMinor, currency });
  if (issue) throw new ProviderError(`${issue.message}. Change the offer.`, { isPermanent: true });
}
