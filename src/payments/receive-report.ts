import { and, eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Applied, type ApplyDeps, applyEvent } from "./apply-event.ts";
import type { PaymentEvent } from "./decide.ts";
import { distantVisit, type Whose, whoseIsSaid } from "./distant-visit.ts";
import { fillPayment } from "./fill-payment.ts";
import type { Payment } from "./payment.ts";
import type { PaymentDetails, RegisterInput } from "./payment-input.ts";
import { findByReference, registerInside } from "./register.ts";
import { reportBelated, reportIfVisitCame } from "./report-purchase.ts";
import { storedCheckout } from "./stored-checkout.ts";
import { type Belongings, leadsToPool, whoPays } from "./who-pays.ts";

/** What a provider reports of one of its references. */
export interface ProviderReport {
  readonly provider: string;
  readonly providerRef: string;
  readonly event: PaymentEvent;
  /** What a payment that nobody registered can be made from; null where the report does not say enough. */
  readonly registration: RegisterInput | null;
  /** What the report says of whose the payment is. */
  readonly details?: PaymentDetails;
  /** The reference is the provider's own id: the report may be about no sale of ours. */
  readonly isProvidersId?: boolean;
  /** The provider's own id of the checkout, where only that proves whose payment this is. */
  readonly checkoutRef?: string;
}

export type Received =
  | { readonly kind: Applied; readonly paymentId: string }
  /** Nobody registered it, and the report does not carry enough to do so now: the provider shall try again. */
  | { readonly kind: "unknown" };

/**
 * Acts on a provider's report, in one transaction: finds or makes the payment, and applies the event. The same
 * report any number of times, at once or one after the other, acts once; it also does what a crash left undone.
 */
export async function receiveReport(deps: ApplyDeps, report: ProviderReport): Promise<Received> {
  const { db } = deps;
  const distant = await distantVisit(deps, await whoseIsReported(deps, report));
  const received = await db.transaction<Received>(async (tx) => {
    const seen = await findUnlocked(db, tx, report);
    if (seen && !isProven(seen, report)) return { kind: "unknown" };
    // The person's row is locked before the payment's, here as where a payment is registered: never crosswise.
    const said = seen ? await sayingsOf(deps, tx, seen, report.details, distant) : null;
    if (!seen) await createFrom(deps, tx, report.registration, distant);
    const known = await findByReference(db, tx, report.provider, report.providerRef);
    if (!known || !isProven(known, report)) return { kind: "unknown" };
    const payment = said === null ? known : await fillPayment(deps, tx, known, said);
    const applied = await applyEvent(deps, tx, payment, report.event, distant);
    // A copy of the webhook that confirmed it may be the first to say by which visit.
    if (applied === "unchanged") await reportBelated(deps, tx, payment, distant);
    return { kind: applied, paymentId: payment.id };
  });
  if (received.kind !== "unknown") await reportIfVisitCame(deps, received.paymentId);
  return received;
}

/** Whether a payment has that reference of the provider's. */
export async function isRegistered(db: Database, provider: string, providerRef: string): Promise<boolean> {
  const { payments } = db.tables;
  const found = and(eq(payments.provider, provider), eq(payments.providerRef, providerRef));
  return (await db.$count(payments, found)) > 0;
}

/** Only where it leads to a pool: confirmed without one, a payment would never be reported. */
async function createFrom(
  deps: ApplyDeps,
  tx: Tx,
  registration: RegisterInput | null,
  distant: StoredVisit | null,
): Promise<void> {
  if (!registration || !(await leadsToPool(deps, tx, registration, distant))) return;
  await registerInside(deps, tx, registration, null, distant);
}

async function findUnlocked(
  { tables: { payments } }: Database,
  tx: Tx,
  { provider, providerRef }: ProviderReport,
): Promise<Payment | undefined> {
  const [payment] = await tx
    .select()
    .from(payments)
    .where(and(eq(payments.provider, provider), eq(payments.providerRef, providerRef)));
  return payment;
}

/** What the report says of whose a payment is that is registered already; null where it says nothing. */
async function sayingsOf(
  deps: ApplyDeps,
  tx: Tx,
  payment: Payment,
  details: PaymentDetails | undefined,
  distant: StoredVisit | null,
): Promise<Belongings | null> {
  if (details === undefined || payment.erasedAt !== null) return null;
  // The payment's own token goes first, so that nobody of another visit is taken for its buyer.
  const said = { ...details, tracking_token: payment.trackingToken ?? details.tracking_token };
  const payer = await whoPays(deps, tx, said, null, distant);
  // A bot that does not exist says nothing; the rest of the report still does.
  const rest = payer ?? (await whoPays(deps, tx, { ...said, bot: undefined }, null, distant));
  return rest?.belongings ?? null;
}

/** A reference that the provider does not vouch for counts only with the very checkout that the payment was given. */
function isProven(payment: Payment, { checkoutRef }: ProviderReport): boolean {
  return checkoutRef === undefined || storedCheckout(payment)?.providerRef === checkoutRef;
}

async function whoseIsReported(deps: ApplyDeps, report: ProviderReport): Promise<Whose> {
  const { payments } = deps.db.tables;
  const { provider, providerRef, details = report.registration ?? {} } = report;
  const [known] = await deps.db
    .select({ trackingToken: payments.trackingToken, botUserId: payments.botUserId })
    .from(payments)
    .where(and(eq(payments.provider, provider), eq(payments.providerRef, providerRef)));
  if (known && (known.trackingToken !== null || known.botUserId !== null)) return known;
  return whoseIsSaid(deps, details);
}
