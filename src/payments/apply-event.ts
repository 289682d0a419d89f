import { eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import { hashedCustomer } from "../meta/user-data.ts";
import { enqueue } from "../outbox/enqueue.ts";
import type { Consent } from "../platform/consent.ts";
import type { Log } from "../platform/log.ts";
import { paymentStep, recordFunnelState } from "../tracking/funnel-states.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Decision, decide, type PaymentEvent } from "./decide.ts";
import { deliveryEntry, withholdDelivery } from "./delivery.ts";
import { leaveNote } from "./leave-note.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import { chargeOf, confirmedData, returnedCharges } from "./provider-data.ts";
import type { RedisCopyDeps } from "./redis-copy.ts";
import { purchaseEntry, withVisit } from "./report-purchase.ts";

export interface ApplyDeps extends PaymentDeps, RedisCopyDeps {
  readonly log: Log;
}

export type Applied = "confirmed" | "changed" | "unchanged";

/** An event, and what it happened to. */
interface Occurrence {
  /** Locked (`lockByReference`): of any number of equal webhooks the first one acts and the others find it done. */
  readonly payment: Payment;
  readonly event: PaymentEvent;
  /** The visit as Redis knows it, for a token that the database does not have. */
  readonly redisCopy: StoredVisit | null;
}

/**
 * What a provider's event does to a payment, all of it inside the given transaction: the payment itself, the
 * Purchase, the funnel and the delivery.
 */
export async function applyEvent(
  deps: ApplyDeps,
  tx: Tx,
  { payment: before, event, redisCopy }: Occurrence,
): Promise<Applied> {
  const payment = await rememberReturnedCharge(deps, tx, before, event);
  const state = { ...payment, chargeId: chargeOf(payment), returned: returnedCharges(payment) };
  const decision = decide(state, event);
  switch (decision.kind) {
    case "confirm":
      await confirm(deps, tx, { payment, decision, redisCopy });
      return "confirmed";
    case "move":
      await changeStatus(deps, tx, payment, decision.to);
      if (decision.note) await leaveNote(deps, tx, payment, decision.note);
      return "changed";
    case "nothing":
      if (decision.note) await leaveNote(deps, tx, payment, decision.note);
      return "unchanged";
  }
}

/** Before any money is counted, which charges went back is remembered: another one may be paid yet. */
async function rememberReturnedCharge(
  { db, now }: ApplyDeps,
  tx: Tx,
  payment: Payment,
  event: PaymentEvent,
): Promise<Payment> {
  const charge = event.kind === "refunded" || event.kind === "chargeback" ? event.chargeId : undefined;
  const returned = returnedCharges(payment);
  if (payment.paidAt !== null || charge === undefined || returned.includes(charge)) return payment;
  const { payments } = db.tables;
  const providerData = { ...payment.providerData, returned: [...returned, charge] };
  await tx.update(payments).set({ providerData, updatedAt: now() }).where(eq(payments.id, payment.id));
  return { ...payment, providerData };
}

type Confirmation = Extract<Decision, { kind: "confirm" }>;

async function confirm(
  deps: ApplyDeps,
  tx: Tx,
  { payment, decision, redisCopy }: Pick<Occurrence, "payment" | "redisCopy"> & { decision: Confirmation },
): Promise<void> {
  const { db } = deps;
  const { tables } = db;
  const now = deps.now();
  const traced = payment.erasedAt === null ? await withVisit(deps, tx, payment, redisCopy) : null;
  const known = traced?.payment ?? payment;
  const columns = paidColumns(known, decision, traced?.visit.consent ?? null, now);
  const paid: Payment = { ...known, ...columns };
  const purchase = traced && (await purchaseEntry(deps, tx, { ...traced, payment: paid }));
  const delivery =
    traced && decision.deliver ? await deliveryEntry(tx, db, paid, traced.visit.botUser) : null;

  await tx
    .update(tables.payments)
    .set({
      ...columns,
      metaPurchaseSent: purchase !== null,
      metaPurchaseSentAt: purchase ? now : null,
      updatedAt: now,
    })
    .where(eq(tables.payments.id, payment.id));
  await enqueue(
    tx,
    tables,
    [purchase, delivery].filter((entry) => entry !== null),
  );
  await recordFunnelState(tx, tables, paymentStep("paid", paid), now);
  await tellOfConfirmation(deps, tx, paid, { ...decision, isReported: purchase !== null });
}

const PAID_AFTER_ERASURE =
  "paid after the buyer's data was erased: nobody is known to deliver to, and nothing is reported; give the money back, or ask the provider who paid";

/** What a person should know of it. */
async function tellOfConfirmation(
  deps: ApplyDeps,
  tx: Tx,
  paid: Payment,
  { note, deliver, isReported }: Confirmation & { isReported: boolean },
): Promise<void> {
  const notes = [note, paid.erasedAt === null ? null : PAID_AFTER_ERASURE].filter((text) => text !== null);
  if (notes.length > 0) await leaveNote(deps, tx, paid, notes.join("; "));
  if (!isReported) {
    deps.log.warn(
      { payment: paid.id },
      "paid, and not reported to Meta: no pool with a pixel, no consent, or Stars without a rate",
    );
  }
  if (!deliver) {
    deps.log.error({ payment: paid.id, note }, "paid, but not what was asked for; nothing is delivered");
  }
}

/** What the money makes of the payment's own row; of a buyer who was erased nothing is learnt. */
function paidColumns(payment: Payment, decision: Confirmation, consent: Consent | null, now: Date) {
  const { amountMinor, currency, buyer } = decision;
  const learnt = payment.erasedAt === null && buyer ? hashedCustomer(buyer) : {};
  return {
    status: "paid",
    paidAt: now,
    refundedAt: null,
    amountMinor,
    currency,
    // What was given at registration goes before what the provider knows.
    customer: { ...learnt, ...payment.customer },
    providerData: confirmedData(payment, decision, consent),
  } satisfies Partial<Payment>;
}

async function changeStatus(
  { db, now }: ApplyDeps,
  tx: Tx,
  payment: Payment,
  to: "refunded" | "chargeback" | "expired",
): Promise<void> {
  const { payments } = db.tables;
  const at = now();
  await tx
    .update(payments)
    .set({ status: to, updatedAt: at, ...(to !== "expired" && { refundedAt: payment.refundedAt ?? at }) })
    .where(eq(payments.id, payment.id));
  if (to === "expired") return;
  // Meta is told nothing; the funnel shows that the money went back.
  await recordFunnelState(tx, db.tables, paymentStep("refunded", payment), at);
  await withholdDelivery(tx, db, payment);
}
