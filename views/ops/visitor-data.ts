import type { OutboxStatus } from "../../src/db/vocabulary.ts";

/** One line of the list of visits. */
export interface VisitLine {
  readonly trackingToken: string;
  readonly at: Date;
  /** Null where the pool was removed. */
  readonly poolSlug: string | null;
  readonly source: string | null;
  readonly campaign: string | null;
  readonly hasCookies: boolean;
  /** How far its PageView is; null where there is none, or none any more. */
  readonly pageView: OutboxStatus | null;
  /** The Telegram user whom the visit led to the bot. */
  readonly telegramUserId: string | null;
}

/** Something that happened to a visitor. */
export interface StepLine {
  readonly kind: string;
  readonly at: string;
  /** Milliseconds since the step before. */
  readonly after_ms: number | null;
  readonly event_name: string | null;
  readonly event_id: string | null;
  readonly status: OutboxStatus | null;
  readonly outbox_id: number | null;
  readonly payment_id: string | null;
  /** When an event was written down. */
  readonly written_at: string | null;
  readonly detail: string | null;
}

export interface PaymentLine {
  readonly id: string;
  readonly status: string;
  /** As operators read it. */
  readonly amount: string;
  readonly provider: string;
  readonly created_at: string;
  readonly paid_at: string | null;
  readonly meta_purchase_sent_at: string | null;
  /** How far its Purchase is; null where there is none, or none any more. */
  readonly purchase: OutboxStatus | null;
}

/** One visitor from click to delivery. */
export interface VisitorFacts {
  /** Null for a person who came without an ad. */
  readonly token: string | null;
  readonly steps: readonly StepLine[];
  readonly payments: readonly PaymentLine[];
  /** Names and values, in the order to show them. */
  readonly known: readonly (readonly [name: string, value: string])[];
}
