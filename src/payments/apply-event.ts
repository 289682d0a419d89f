import { eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { permittedEvent } from "../meta/consent.ts";
import { purchaseEvent } from "../meta/purchase.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import { hashedCustomer } from "../meta/user-data.ts";
import { enqueue, metaRoute, type OutboxEntry } from "../outbox/enqueue.ts";
import type { Log } from "../platform/log.ts";
import { findPoolOf, reportingPixel } from "../pools/find-pool-of.ts";
import { deliveryMessage } from "../telegram/messages.ts";
import { type BotUser, findBotUser, findSessionOf } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import { type Session, sessionFacts } from "../tracking/session.ts";
import { type Decision, decide, type PaymentEvent } from "./decide.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import { paymentFacts, sellingBot } from "./purchase-facts.ts";

export interface ApplyDeps extends PaymentDeps {
  readonly log: Log;
  /** Tracking data of a token that the database does not have (yet), such as a visit that is still spooled. */
  readonly trackingData: (token: string) => Promise<SessionFacts | null>;
  /** Brings a visit into the database that waits on this machine's disk; false where none does. Absent: none ever does. */
  readonly recallVisit?: (token: string) => Promise<boolean>;
}

const PAID_AFTER_ERASURE =
  "paid after the buyer's data was erased: nobody is known to deliver to, and nothing is reported; give the money back, or ask the provider who paid";

export type Applied = "confirmed" | "changed" | "unchanged";

/**
 * What a provider's event does to a payment, all of it inside the given transaction: the payment itself, the
 * Purchase, the funnel and the delivery. `payment` must be locked (`findByReference`), so that of any number of
 * equal webhooks the first one acts and the others find it done.
 *
 * @param distant the session as Redis knows it, for a token that the database does not have
 */
export async function applyEvent(
  deps: ApplyDeps,
  tx: Tx,
  payment: Payment,
  event: PaymentEvent,
  distant: SessionFacts | null,
): Promise<Applied> {
  const decision = decide(payment, event);
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
  distant: SessionFacts | null,
): Promise<void> {
  const { tables } = deps.db;
  const now = deps.now();
  const { amountMinor, currency } = decision;
  const isErased = payment.erasedAt !== null;
  // What was given at registration goes before what the provider knows.
  const buyer = isErased ? null : decision.buyer;
  const customer = { ...(buyer && hashedCustomer(buyer)), ...payment.customer };
  const paid: Payment = { ...payment, status: "paid", paidAt: now, amountMinor, currency, customer };
  const botUser = isErased ? null : await findBotUser(tx, tables, payment.botUserId);
  const session = await findSessionOf(tx, tables, { trackingToken: payment.trackingToken, botUser });
  const purchase = isErased ? null : await purchaseEntry(deps, tx, paid, botUser, session, distant, now);
  const delivery = decision.deliver ? await deliveryEntry(deps.db, tx, paid, botUser) : null;

  await tx
    .update(tables.payments)
    .set({
      status: "paid",
      paidAt: now,
      amountMinor,
      currency,
      customer,
      poolId: purchase?.poolId ?? payment.poolId,
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
  await recordFunnelState(tx, tables, { ...stepOf(payment), state: "paid" }, now);
  const notes = [decision.note, isErased ? PAID_AFTER_ERASURE : null].filter((text) => text !== null);
  if (notes.length > 0) await note(deps, tx, payment, notes.join("; "));
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

/** The Purchase, whether or not a PageView ever went; null where the pool reports nothing or consent was denied. */
async function purchaseEntry(
  deps: ApplyDeps,
  tx: Tx,
  payment: Payment,
  botUser: BotUser | null,
  session: Session | null,
  distant: SessionFacts | null,
  now: Date,
): Promise<OutboxEntry | null> {
  const { tables } = deps.db;
  const pool = await findPoolOf(tx, tables, {
    poolId: payment.poolId ?? session?.poolId ?? null,
    botId: payment.botId,
  });
  const pixelId = reportingPixel(pool);
  if (!pool || !pixelId) return null;
  const seller = await sellingBot(deps, tx, payment, botUser);
  const facts = session ? sessionFacts(session) : distant;
  const payload = permittedEvent(
    purchaseEvent(paymentFacts(payment), facts, seller, now),
    facts?.consent ?? null,
    deps.consentDenied ?? "drop",
  );
  if (payload === null) return null;
  return {
    destination: "meta",
    route: metaRoute(pixelId, pool.metaTestEventCode),
    eventName: "Purchase",
    eventId: `purchase_${payment.id}`,
    payload,
    poolId: pool.id,
    trackingToken: payment.trackingToken,
    paymentId: payment.id,
    botUserId: payment.botUserId,
  };
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
  // Meta is told nothing; the funnel shows that the money went back.
  if (to !== "expired") await recordFunnelState(tx, db.tables, { ...stepOf(payment), state: "refunded" }, at);
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
