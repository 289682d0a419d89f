import { and, eq } from "drizzle-orm";
import type { SessionFacts } from "../meta/session-facts.ts";
import { findSessionOf } from "../tracking/find-session.ts";
import { type Applied, type ApplyDeps, applyEvent } from "./apply-event.ts";
import type { PaymentEvent } from "./decide.ts";
import type { Payment } from "./payment.ts";
import type { RegisterInput } from "./payment-input.ts";
import { findByReference, registerInside } from "./register.ts";
import { storedCheckout } from "./stored-checkout.ts";

/** What a provider reports of one of its references. */
export interface ProviderReport {
  readonly provider: string;
  readonly providerRef: string;
  readonly event: PaymentEvent;
  /** What a payment that nobody registered can be made from; null where the report does not say enough. */
  readonly registration: RegisterInput | null;
  /** The provider's own id of the checkout, where only that proves whose payment this is. */
  readonly checkoutRef?: string;
}

export type Received =
  | { readonly kind: Applied; readonly paymentId: string }
  /** Nobody registered it, and the report does not carry enough to do so now: the provider shall try again. */
  | { readonly kind: "unknown" };

/**
 * Acts on a provider's report, in one transaction: finds or makes the payment, and applies the event. The same
 * report any number of times, at once or one after the other, acts once.
 */
export async function receiveReport(deps: ApplyDeps, report: ProviderReport): Promise<Received> {
  const { db } = deps;
  // Asked before the transaction: nothing inside one may wait for Redis.
  const token = report.registration?.tracking_token ?? (await registeredToken(deps, report));
  const distant = await distantSession(deps, token);
  return db.transaction(async (tx) => {
    const known = await findByReference(db, tx, report.provider, report.providerRef);
    const payment = known ?? (await createFrom(deps, tx, report.registration));
    if (!payment || !isProven(payment, report)) return { kind: "unknown" };
    return { kind: await applyEvent(deps, tx, payment, report.event, distant), paymentId: payment.id };
  });
}

async function createFrom(
  deps: ApplyDeps,
  tx: Parameters<typeof registerInside>[1],
  registration: RegisterInput | null,
) {
  if (!registration) return undefined;
  await registerInside(deps, tx, registration, null);
  // Read back under a lock: a webhook of the same payment, at this very moment elsewhere, waits here.
  return findByReference(deps.db, tx, registration.provider, registration.provider_ref);
}

/** A reference that the provider does not vouch for counts only with the very checkout that the payment was given. */
function isProven(payment: Payment, { checkoutRef }: ProviderReport): boolean {
  return checkoutRef === undefined || storedCheckout(payment)?.providerRef === checkoutRef;
}

/**
 * Tracking data from Redis, only where the token is known and its visit is not in the database. One that still waits
 * on this machine's disk is brought in first: without it nobody knows whose pixel the Purchase belongs to.
 */
export async function distantSession(
  { db, trackingData, recallVisit }: ApplyDeps,
  token: string | null,
): Promise<SessionFacts | null> {
  if (!token) return null;
  const here = await findSessionOf(db, db.tables, { trackingToken: token, botUser: null });
  if (here || (await recallVisit?.(token))) return null;
  return trackingData(token);
}

async function registeredToken({ db }: ApplyDeps, { provider, providerRef }: ProviderReport) {
  const { payments } = db.tables;
  const [payment] = await db
    .select({ token: payments.trackingToken })
    .from(payments)
    .where(and(eq(payments.provider, provider), eq(payments.providerRef, providerRef)));
  return payment?.token ?? null;
}
