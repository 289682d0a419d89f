import { sql } from "drizzle-orm";
import type { Config } from "../config.ts";
import type { Database, RawNumber } from "../db/database.ts";
import { MAX_EVENT_AGE_MS } from "../meta/event-time.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import type { Consent } from "../platform/consent.ts";

/** Unreported sales looked at, the newest: a shop without a pixel has no others. */
const MOST = 2_000;
const SHOWN = 20;

/** A sale that was paid, and not reported to Meta. */
interface UnreportedSale {
  readonly paymentId: string;
  readonly provider: string;
  readonly providerRef: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly paidAt: Date;
}

export interface UnreportedSales {
  readonly count: number;
  /** Whether only the newest were looked at: there may be older ones, also where none is counted. */
  readonly isMore: boolean;
  readonly newest: readonly UnreportedSale[];
}

/**
 * Sales that Meta was not told of, and would still take: no pool was known when they were paid, or one without a pixel
 * that has one now. Not those that are kept from it on purpose: the buyer refused, they or whose visit it was were
 * erased, the pool reports nothing, Stars are not reported as money.
 */
export async function readUnreportedSales(
  { dialect, ...db }: Database,
  { consentDenied, payments: { starsUsdMinorPerThousand } }: Pick<Config, "consentDenied" | "payments">,
): Promise<UnreportedSales> {
  const { payments, pools, sessions } = db.tables;
  const { now, plusMs, epochMs, jsonText } = dialect;
  const newest = sql`(
    select * from ${payments}
    where status = 'paid' and not meta_purchase_sent and paid_at > ${plusMs(now, -MAX_EVENT_AGE_MS)}
    order by paid_at desc limit ${MOST})`;
  const said = (consent: Consent) =>
    sql`coalesce(${jsonText(sql`s.provider_data`)}, '') like ${`%"consent":"${consent}"%`}`;
  const isKept = [
    sql`s.erased_at is not null`,
    said("erased"),
    // Looked up one by one: a join with statistics of an emptier table reads all visits for each sale.
    sql`coalesce((select v.consent from ${sessions} v where v.tracking_token = s.tracking_token), '') = 'erased'`,
    ...(consentDenied === "drop" ? [said("denied")] : []),
    ...(starsUsdMinorPerThousand === null ? [sql`s.currency = ${TELEGRAM_STARS}`] : []),
  ];
  const rows = await db.rows<{
    id: string;
    provider: string;
    ref: string;
    amount: RawNumber;
    currency: string;
    paid_ms: RawNumber;
    sales: RawNumber;
  }>(sql`
    select s.id, s.provider, s.provider_ref as ref, s.amount_minor as amount, s.currency,
      ${epochMs(sql`s.paid_at`)} as paid_ms, count(*) over () as sales
    from ${newest} s left join ${pools} p on p.id = s.pool_id
    where not (${sql.join(isKept, sql` or `)})
      and (p.id is null or (p.meta_tracking_enabled and p.meta_pixel_id is not null))
    order by s.paid_at desc limit ${SHOWN}`);
  const [looked] = await db.rows<{ at: RawNumber }>(sql`select count(*) as at from ${newest} s`);
  return {
    count: Number(rows[0]?.sales ?? 0),
    isMore: Number(looked?.at) >= MOST,
    newest: rows.map(({ id, ref, amount, paid_ms, provider, currency }) => ({
      paymentId: id,
      provider,
      providerRef: ref,
      amountMinor: Number(amount),
      currency,
      paidAt: new Date(Number(paid_ms)),
    })),
  };
}
