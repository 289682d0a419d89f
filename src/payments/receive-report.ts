import type { Tx } from "../db/database.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Applied, type ApplyDeps, applyEvent } from "./apply-event.ts";
import { buyersTransaction, ErasedMeanwhile } from "./erased-meanwhile.ts";
import { fillPayment } from "./fill-payment.ts";
import { findByReference, lockByReference } from "./find-payment.ts";
import type { Payment } from "./payment.ts";
import type { RegisterInput } from "./payment-input.ts";
import type { PaymentReport } from "./providers/adapter.ts";
import { type Owner, ownerFromDetails, redisCopyOf } from "./redis-copy.ts";
import { registerInside } from "./register.ts";
import { catchUp, reportIfVisitCame } from "./report-purchase.ts";
import { storedCheckout } from "./stored-checkout.ts";
import { type Belongings, leadsToPool, whoPays, withoutUnknownBot } from "./who-pays.ts";

/** What one of the providers reports. */
export interface ProviderReport extends PaymentReport {
  readonly provider: string;
}

type Received =
  | { readonly kind: Applied; readonly paymentId: string }
  /** Nobody registered it, and the report does not carry enough to do so now: the provider shall try again. */
  | { readonly kind: "unknown" };

/**
 * Acts on a provider's report, in one transaction: finds or makes the payment, and applies the event. The same
 * report any number of times, at once or one after the other, acts once; it also does what a crash left undone.
 */
export async function receiveReport(deps: ApplyDeps, report: ProviderReport): Promise<Received> {
  const { db } = deps;
  const redisCopy = await redisCopyOf(deps, await ownerFromReport(deps, report));
  const received = await buyersTransaction<Received>(db, async (tx) => {
    const seen = await findByReference(tx, db, report);
    // The person's row is locked before the payment's, here as where a payment is registered: never crosswise.
    const said =
      seen && isProven(seen, report)
        ? await belongingsFromReport(deps, tx, { payment: seen, report, redisCopy })
        : null;
    if (!seen) await createFrom(deps, tx, report.registration, redisCopy);
    const known = await lockByReference(tx, db, report);
    if (!known || !isProven(known, report)) return { kind: "unknown" };
    if (said !== null && known.erasedAt !== null) throw new ErasedMeanwhile();
    const payment = said === null ? known : await fillPayment(deps, tx, known, said);
    const applied = await applyEvent(deps, tx, { payment, event: report.event, redisCopy });
    // A copy of the webhook that confirmed it may be the first to say by which visit.
    if (applied === "unchanged") await catchUp(deps, tx, payment, redisCopy);
    return { kind: applied, paymentId: payment.id };
  });
  if (received.kind !== "unknown") await reportIfVisitCame(deps, received.paymentId);
  return received;
}

/** Only where it leads to a pool: confirmed without one, a payment would never be reported. */
async function createFrom(
  deps: ApplyDeps,
  tx: Tx,
  registration: RegisterInput | null,
  redisCopy: StoredVisit | null,
): Promise<void> {
  const usable = registration && (await withoutUnknownBot(deps, tx, registration));
  if (!usable || !(await leadsToPool(deps, tx, usable, redisCopy))) return;
  await registerInside(deps, tx, { input: usable, sale: null, redisCopy });
}

interface ReportOnPayment {
  readonly payment: Payment;
  readonly report: ProviderReport;
  readonly redisCopy: StoredVisit | null;
}

/** What the report says of whose a payment is that is registered already; null where it says nothing. */
async function belongingsFromReport(
  deps: ApplyDeps,
  tx: Tx,
  { payment, report, redisCopy }: ReportOnPayment,
): Promise<Belongings | null> {
  if (report.details === undefined || payment.erasedAt !== null) return null;
  // The payment's own token goes first, so that nobody of another visit is taken for its buyer.
  const tracking_token = payment.trackingToken ?? report.details.tracking_token;
  const said = await withoutUnknownBot(deps, tx, { ...report.details, tracking_token });
  const payer = await whoPays(deps, tx, { said, seller: null, redisCopy });
  return payer?.belongings ?? null;
}

/** A reference that the provider does not vouch for counts only with the very checkout that the payment was given. */
function isProven(payment: Payment, { checkoutRef }: ProviderReport): boolean {
  return checkoutRef === undefined || storedCheckout(payment)?.providerRef === checkoutRef;
}

async function ownerFromReport(deps: ApplyDeps, report: ProviderReport): Promise<Owner> {
  const known = await findByReference(deps.db, deps.db, report);
  if (known && known.trackingToken !== null) return known;
  const said = await ownerFromDetails(deps, report.details ?? report.registration ?? {});
  // Of a payment that was registered by its buyer alone, the report may be the first to name the visit.
  return { ...said, botUserId: known?.botUserId ?? said.botUserId };
}
