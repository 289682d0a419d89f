import type { Database } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { DeniedPolicy } from "../meta/consent.ts";

/** A payment's row. */
export type Payment = Tables["payments"]["$inferSelect"];

/** What everything that touches payments works with. */
export interface PaymentDeps {
  readonly db: Database;
  readonly now: () => Date;
  /** Our own address, where providers send their webhooks; where it is known, a pool has a link. */
  readonly publicUrl?: string | undefined;
  /** US cents for 1 000 Telegram Stars; null: Stars are not reported as money. */
  readonly starsUsdMinorPerThousand: number | null;
  /** What becomes of the events of somebody who denied consent. */
  readonly consentDenied: DeniedPolicy;
}
