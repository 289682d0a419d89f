/** How far an event of the outbox is. The last four are ends; from all but `delivered` it can be sent again. */
export const OUTBOX_STATUSES = ["pending", "sending", "delivered", "dead", "expired", "discarded"] as const;
export type OutboxStatus = (typeof OUTBOX_STATUSES)[number];

/** Where the outbox sends to. */
export const DESTINATIONS = ["meta", "telegram"] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** Whoever paused a route: an operator, or the other side by refusing the credential (or all that is sent). */
export type PausedBy = "operator" | "refusal";

/** Why a route's rows do not go. */
export const HOLD_STATES = ["paused", "throttled", "resting"] as const;
export type HoldState = (typeof HOLD_STATES)[number];

/** What requests come to. */
export const ATTEMPT_OUTCOMES = [
  "delivered",
  "partial",
  "transient",
  "throttled",
  "early",
  "outdated",
  "credential",
  "invalid",
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** How far a person came in a bot; `blocked` is one who cannot be written to. */
export const FUNNEL_STATES = [
  "started",
  "offer_viewed",
  "checkout_started",
  "paid",
  "delivered",
  "refunded",
  "blocked",
] as const;
export type FunnelState = (typeof FUNNEL_STATES)[number];

/** How a payment stands; `chargeback` is money that the buyer's bank took back. */
export const PAYMENT_STATUSES = ["pending", "paid", "refunded", "chargeback", "expired"] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** Of a sale's messages, by event name, how the payment stands when they make no sense any more. */
export const MOOT_WHEN: Readonly<Record<string, readonly PaymentStatus[]>> = {
  checkout: ["paid", "refunded", "chargeback"],
  delivery: ["refunded", "chargeback"],
};

/** Who makes checkouts: what an offer's provider may be, and so what the lane of a bot's checkouts is called. */
export const CHECKOUT_PROVIDERS: readonly string[] = ["stripe", "mercadopago", "pushinpay", "telegram"];

/** How a pool chooses a bot for a visitor. */
export const STRATEGIES = ["weighted", "round_robin", "least_used"] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** The languages that visitors and buyers are spoken to in. */
export const LOCALES = ["pt-BR", "en"] as const;
export type Locale = (typeof LOCALES)[number];

/** Whether a visit's fbc was the browser's or made of its click. */
export const FBC_ORIGINS = ["cookie", "generated"] as const;
export type FbcOrigin = (typeof FBC_ORIGINS)[number];

/** Why the gate refuses a visitor: the link's secret parameter, or a client that says that it is automated. */
export const REFUSAL_REASONS = ["param", "automated"] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** What an API key may do. */
export const KEY_SCOPES = ["read", "write"] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** Whom the audit log names where a start takes something over from its settings. */
export const ENVIRONMENT = "environment";
