import { sql } from "drizzle-orm";
import type { Kit } from "../postgres/kit.ts";
import type { PaymentStatus } from "../vocabulary.ts";
import { timesOf } from "./times.ts";

/** What they paid. */
export function paymentTables(kit: Kit) {
  const { table, index, uniqueIndex, text, big, boolean, instant, json } = kit;
  const times = timesOf(kit);

  const payments = table(
    "payments",
    {
      /** UUIDv7 in hex, made by the writer: `purchase_<id>` stays unique at Meta even if a database is rebuilt. */
      id: text().primaryKey(),
      provider: text().notNull(),
      providerRef: text().notNull(),
      status: text().$type<PaymentStatus>().notNull(),
      amountMinor: big().notNull(),
      currency: text().notNull(),
      poolId: big(),
      botId: big(),
      botUserId: big(),
      offerId: big(),
      trackingToken: text(),
      customerUserId: text(),
      /** SHA-256 digests only: plain personal data is never stored. */
      customer: json().$type<Readonly<Record<string, string>>>(),
      content: json().$type<{ ids?: readonly string[]; name?: string; type?: string }>(),
      /** What the provider gave for the checkout (link, Pix code), what a confirmation disagreed on, and that its buyer is not to be reported. */
      providerData: json().$type<Readonly<Record<string, unknown>>>(),
      paidAt: instant(),
      refundedAt: instant(),
      metaPurchaseSent: boolean().notNull().default(false),
      metaPurchaseSentAt: instant(),
      /** When the buyer's data was erased: from then on nobody is reported or delivered to for this payment. */
      erasedAt: instant(),
      ...times(),
    },
    (t) => [
      uniqueIndex("payments_provider_ref_unique").on(t.provider, t.providerRef),
      index("payments_token_idx").on(t.trackingToken),
      index("payments_bot_user_idx").on(t.botUserId),
      index("payments_customer_idx").on(t.customerUserId).where(sql`customer_user_id is not null`),
      index("payments_created_at_idx").on(t.createdAt),
      index("payments_pending_idx").on(t.createdAt).where(sql`status = 'pending'`),
      // Few, or all of a shop that reports nothing.
      index("payments_unreported_idx").on(t.paidAt).where(sql`status = 'paid' and not meta_purchase_sent`),
    ],
  );

  return { payments };
}
