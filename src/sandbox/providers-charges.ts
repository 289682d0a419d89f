import { boundedList, type RecentMap, recentMap } from "./bounded.ts";

/** The providers that the sandbox stands in for. */
export const PROVIDERS = ["stripe", "mercadopago", "pushinpay"] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** What can happen to a charge; not every provider has every one. */
export const CHARGE_EVENTS = [
  "processing",
  "paid",
  "failed",
  "expired",
  "partially_refunded",
  "refunded",
  "chargeback",
  "chargeback_won",
] as const;
export type ChargeEvent = (typeof CHARGE_EVENTS)[number];

type Metadata = Readonly<Record<string, string>>;

/** One sale at one of the stood-in providers, in that provider's own units. */
export interface Charge {
  readonly provider: ProviderName;
  readonly id: string;
  /** What the merchant calls it, where the provider has a place for that. */
  readonly reference: string | null;
  readonly amount: string;
  readonly currency: string;
  readonly title: string;
  readonly webhookUrl: string | null;
  readonly returnUrl: string | null;
  readonly createdAtMs: number;
  /** At Stripe: what was given for the session and for its payment. Neither gets the other's. */
  readonly metadata?: { readonly session: Metadata; readonly payment: Metadata };
  state: "created" | ChargeEvent;
  wasProcessing: boolean;
}

/** The charges of all stood-in providers together, of which the oldest are forgotten. */
export interface Charges {
  add(charge: Charge): Charge;
  find(provider: string, id: string): Charge | undefined;
  /** By the provider's id, or by the merchant's reference. */
  named(provider: ProviderName, name: string): Charge | undefined;
  list(): readonly Charge[];
  /** The answer that a request with this idempotency key got, with what it asked for. */
  readonly idempotent: RecentMap<{ readonly asked: string; readonly charge: Charge }>;
  /** Idempotency keys whose request ended in a 500, which Stripe answers again, whatever has been mended since. */
  readonly failed: RecentMap<true>;
  nextNumber(): number;
}

/** Keeps the newest `capacity` charges, and at most as many idempotency keys, in memory only. */
export function createCharges(capacity: number): Charges {
  const kept = boundedList<Charge>(capacity);
  let number = 0;
  const findLast = (matches: (charge: Charge) => boolean) => kept.items().findLast(matches);
  return {
    add(charge) {
      kept.push(charge);
      return charge;
    },
    find: (provider, id) => findLast((charge) => charge.provider === provider && charge.id === id),
    named: (provider, name) =>
      findLast((charge) => charge.provider === provider && (charge.id === name || charge.reference === name)),
    list: kept.items,
    idempotent: recentMap(capacity),
    failed: recentMap(capacity),
    nextNumber: () => ++number,
  };
}
