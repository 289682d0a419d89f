import type { Database } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";

export type Payment = Tables["payments"]["$inferSelect"];

/** What everything that touches payments works with. */
export interface PaymentDeps {
  readonly db: Database;
  readonly now: () => Date;
  /** US cents for 1 000 Telegram Stars; null: Stars are not reported as money. */
  readonly starsUsdMinorPerThousand: number | null;
}
