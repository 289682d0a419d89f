import { and, eq, inArray } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { hashedCustomer } from "../meta/user-data.ts";
import { enqueue, type OutboxEntry } from "../outbox/enqueue.ts";
import type { Log } from "../platform/log.ts";
import { deliveryMessage } from "../telegram/messages.ts";
import type { BotUser } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { type Decision, decide, type PaymentEvent } from "./decide.ts";
import type { DistantDeps } from "./distant-visit.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import { chargeOf, confirmedData } from "./provider-data.ts";
import { purchaseEntry, withVisit } from "./report-purchase.ts";

export interface ApplyDeps extends PaymentDeps, DistantDeps {
  readonly log: Log;
}

const PAID_AFTER_ERASURE =
  "paid after the buyer's data was erased: nobody is known to deliver to, and nothing is reported; give the money back, or ask the provider who paid";

export type Applied = "confirmed" | "changed" | "unchanged";

/**
 * What a provider's event does to a payment, all of it inside the given transaction: the payment itself, the
 * Purchase, the funnel and the delivery. `payment` must be locked (`findByReference`), so that of any number of
 * equal webhooks the first one acts and the others find it done.
 *
 * @param distant the visit as Redis knows it, for a token that the database does not have
 */
export async function applyEvent(
  deps: ApplyDeps,
  tx: Tx,
  payment: Payment,
  event: PaymentEvent,
  distant: StoredVisit | null,
): Promise<Applied> {
  const decision = decide({ ...payment, chargeId: chargeOf(payment) }, event);
  switch (decision.kind) {
    case "confirm":
      await confirm(deps, tx, payment, decision, distant);
      return "confirmed";
    case "move":
      await move(deps, tx, payment, decision.to);
      return "changed";
    case "nothing":
      if (decision.note) await note(deps, tx, payment, decision.note);
      return "unchanged";
  }
}

async function confirm(
  deps: ApplyDeps,
  tx: Tx,
  payment: Payment,
  decision: Extract<Decision, { kind: "confirm" }>,
  distant: StoredVisit | null,
): Promise<void> {
  const { tables } = deps.db;
  const now = deps.now();
  const { amountMinor, currency } = decision;
  const isErased = payment.erasedAt !== null;
  // What was given at registration goes before what the provider knows.
  const buyer = isErased ? null : decision.buyer;
  const customer = { ...(buyer && hashedCustomer(buyer)), ...payment.customer };
  const known = isErased ? { payment, visit: null } : await withVisit(deps, tx, payment, distant);
  const { visit } = known;
  const providerData = confirmedData(payment, decision);
  const paid: Payment = {
    ...known.payment,
    status: "paid",
    paidAt: now,
    amountMinor,
    currency,
    customer,
    providerData,
  };
  const purchase = visit && (await purchaseEntry(deps, tx, paid, visit));
  const delivery = decision.deliver ? await deliveryEntry(deps.db, tx, paid, visit?.botUser ?? null) : null;
  const poolId = purchase?.poolId ?? visit?.poolId ?? paid.poolId;

  await tx
    .update(tables.payments)
    .set({
      status: "paid",
      paidAt: now,
      amountMinor,
      currency,
      customer,
      providerData,
      poolId,
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
  await recordFunnelState(tx, tables, { ...stepOf({ ...paid, poolId }), state: "paid" }, now);
  const notes = [decision.note, isErased ? PAID_AFTER_ERASURE : null].filter((text) => text !== null);
  if (notes.length > 0) await note(deps, tx, paid, notes.join("; "));
  if (!purchase) {
    deps.log.warn(
      { payment: payment.id },
      "paid, and not reported to Meta: no pool with a pixel, or no consent",
    );
  }
  if (!decision.deliver) {
    deps.log.error(
      { payment: payment.id, note: decision.note },
      "paid, but not what was asked for; nothing is delivered",
    );
  }
}

/** What was bought, on its way to the buyer; null where it was not sold by a bot of ours. */
async function deliveryEntry(
  db: Database,
  tx: Tx,
  payment: Payment,
  botUser: BotUser | null,
): Promise<OutboxEntry | null> {
  const { offers, bots } = db.tables;
  if (payment.offerId === null || botUser === null) return null;
  const [row] = await tx
    .select({ offer: offers, locale: bots.locale })
    .from(offers)
    .innerJoin(bots, eq(bots.id, offers.botId))
    .where(eq(offers.id, payment.offerId));
  if (!row) return null;
  return {
    destination: "telegram",
    route: String(botUser.botId),
    eventName: "delivery",
    eventId: `delivery_${payment.id}`,
    payload: deliveryMessage(botUser.telegramUserId, row.offer, row.locale ?? botUser.languageCode),
    poolId: payment.poolId,
    trackingToken: payment.trackingToken,
    paymentId: payment.id,
    botUserId: botUser.id,
  };
}

async function move(
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
  await recordFunnelState(tx, db.tables, { ...stepOf(payment), state: "refunded" }, at);
  await keepGoods(db, tx, payment);
}

/** What has not gone out yet stays here: the money did not. */
async function keepGoods({ tables }: Database, tx: Tx, { id }: Payment): Promise<void> {
  const { outboxEvents, outboxProgress } = tables;
  const delivery = tx
    .select({ id: outboxEvents.id })
    .from(outboxEvents)
    .where(and(eq(outboxEvents.destination, "telegram"), eq(outboxEvents.eventId, `delivery_${id}`)));
  await tx
    .update(outboxProgress)
    .set({ status: "discarded", lastError: "not sent: the money went back before" })
    .where(and(inArray(outboxProgress.id, delivery), eq(outboxProgress.status, "pending")));
}

/** Leaves word for a person, once for each thing: in the audit log, on the payment, and loudly in the log. */
async function note({ db, log, now }: ApplyDeps, tx: Tx, payment: Payment, text: string): Promise<void> {
  const { payments, auditLog } = db.tables;
  const notes = notesOf(payment);
  if (notes.includes(text)) return;
  log.error(
    { payment: payment.id, provider: payment.provider, note: text },
    "a payment needs a person's eye",
  );
  await tx
    .update(payments)
    .set({ providerData: { ...payment.providerData, notes: [...notes, text] } })
    .where(eq(payments.id, payment.id));
  await tx.insert(auditLog).values({
    at: now(),
    actor: `provider:${payment.provider}`,
    action: "payment.note",
    subject: `payment:${payment.id}`,
    after: { note: text },
  });
}

function notesOf({ providerData }: Payment): readonly unknown[] {
  return Array.isArray(providerData?.notes) ? providerData.notes : [];
}

function stepOf(payment: Payment) {
  return {
    of: payment.id,
    poolId: payment.poolId,
    botId: payment.botId,
    botUserId: payment.botUserId,
    trackingToken: payment.trackingToken,
    offerId: payment.offerId,
    paymentId: payment.id,
  };
}
