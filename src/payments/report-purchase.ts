import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { purchaseEvent } from "../meta/purchase.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import { enqueue, type OutboxEntry } from "../outbox/enqueue.ts";
import { findPoolOf } from "../pools/find-pool-of.ts";
import { findBotUser } from "../tracking/bot-users.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import { visitBehind } from "../tracking/visit-behind.ts";
import { fillPayment } from "./fill-payment.ts";
import { lockById } from "./find-payment.ts";
import { metaEntry, type Traced } from "./meta-entry.ts";
import type { Payment, PaymentDeps } from "./payment.ts";
import { isRefusal, keptRefusal, type Refusal } from "./provider-data.ts";

/**
 * The visit and the pool behind a payment, whose row learns from them what it did not know.
 *
 * @param redisCopy the visit as Redis knows it, for a token that the database does not have
 */
export async function withVisit(
  deps: PaymentDeps,
  tx: Tx,
  payment: Payment,
  redisCopy: StoredVisit | null,
): Promise<Traced> {
  const { tables } = deps.db;
  const { trackingToken } = payment;
  const botUser = await findBotUser(tx, tables, payment.botUserId);
  const visit = await visitBehind(tx, deps.db, { trackingToken, botUser }, redisCopy);
  const botId = payment.botId ?? visit.botId ?? visit.botUser?.botId ?? null;
  const pool = await findPoolOf(tx, deps.db, { poolId: visit.poolId ?? payment.poolId, botId });
  const learnt = {
    trackingToken: visit.trackingToken,
    botId,
    botUserId: visit.botUser?.id ?? null,
    surePoolId: pool?.id ?? null,
  };
  return { payment: await fillPayment(deps, tx, payment, learnt), visit, pool };
}

/**
 * The Purchase, whether or not a PageView ever went; null where the pool reports nothing, consent was denied, or Stars
 * are not to be reported as money: Meta takes no Purchase without a value.
 */
export async function purchaseEntry(deps: PaymentDeps, tx: Tx, traced: Traced): Promise<OutboxEntry | null> {
  if (traced.payment.currency === TELEGRAM_STARS && deps.starsUsdMinorPerThousand === null) return null;
  return metaEntry(deps, tx, purchaseEvent, traced);
}

/**
 * The payment learns from its visit what it did not know; one that was confirmed when not enough was known to report it
 * is reported now, or keeps what forbids it. What is reported already stays as it is. `payment` must be locked.
 */
export async function catchUp(
  deps: PaymentDeps,
  tx: Tx,
  payment: Payment,
  redisCopy: StoredVisit | null,
): Promise<void> {
  if (payment.metaPurchaseSent || payment.erasedAt !== null) return;
  const traced = await withVisit(deps, tx, payment, redisCopy);
  if (payment.status !== "paid") return;
  const kept = keptRefusal(payment);
  const said = traced.visit.consent;
  const consent = said === "erased" ? said : (kept ?? said);
  const purchase = await purchaseEntry(deps, tx, { ...traced, visit: { ...traced.visit, consent } });
  if (purchase === null) {
    if (consent !== kept && isRefusal(consent)) await keepRefusal(deps, tx, payment, consent);
    return;
  }
  const { tables } = deps.db;
  const at = deps.now();
  await enqueue(tx, tables, [purchase]);
  await tx
    .update(tables.payments)
    .set({ metaPurchaseSent: true, metaPurchaseSentAt: at, updatedAt: at })
    .where(eq(tables.payments.id, payment.id));
}

/** So that it is not taken for a sale that somebody forgot to report. */
async function keepRefusal(deps: PaymentDeps, tx: Tx, { id }: Payment, consent: Refusal): Promise<void> {
  const { payments } = deps.db.tables;
  // Read again: the event that brought us here may have left a note on it.
  const payment = await lockById(tx, deps.db, id);
  await tx
    .update(payments)
    .set({ providerData: { ...payment?.providerData, consent }, updatedAt: deps.now() })
    .where(eq(payments.id, id));
}

/**
 * Visits have come into the database late, out of a spool: what was paid meanwhile is reported. Only after their commit:
 * whoever confirms a payment of theirs looks once more after its own (`reportIfVisitCame`), so that one of the two sees
 * what the other wrote.
 */
export async function reportPurchasesOf(
  deps: PaymentDeps,
  tx: Tx,
  trackingTokens: readonly string[],
): Promise<void> {
  if (trackingTokens.length === 0) return;
  const { payments } = deps.db.tables;
  // Pending ones too: they learn their pool, and one that is being confirmed at this moment is waited for.
  const unreported = await deps.db.dialect.locked(
    tx
      .select()
      .from(payments)
      .where(and(inArray(payments.trackingToken, [...trackingTokens]), isUnreported(payments)))
      // By token, as browsers' reports do it: each holds its visit, and two processes never lock visits crosswise.
      .orderBy(payments.trackingToken, payments.id),
  );
  for (const payment of unreported) await catchUp(deps, tx, payment, null);
}

/**
 * The other look: a payment has been committed, and its visit may have come in meanwhile, in a transaction that saw as
 * little of the payment as the payment's did of the visit.
 */
export async function reportIfVisitCame(deps: PaymentDeps, paymentId: string): Promise<void> {
  const { payments, sessions } = deps.db.tables;
  const [late] = await deps.db
    .select({ trackingToken: sessions.trackingToken })
    .from(payments)
    .innerJoin(sessions, eq(sessions.trackingToken, payments.trackingToken))
    .where(and(eq(payments.id, paymentId), eq(payments.status, "paid"), isUnreported(payments)));
  if (late) await deps.db.transaction((tx) => reportPurchasesOf(deps, tx, [late.trackingToken]));
}

function isUnreported({ metaPurchaseSent, erasedAt }: Tables["payments"]) {
  return and(eq(metaPurchaseSent, false), isNull(erasedAt));
}
