import { eq } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import { permittedEvent } from "../meta/consent.ts";
import type { MetaEvent } from "../meta/event.ts";
import type { PaymentFacts, SellingBot } from "../meta/payment-facts.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import type { OutboxEntry } from "../outbox/enqueue.ts";
import { formatRoute } from "../outbox/routes.ts";
import { reportingPixel } from "../pools/find-pool-of.ts";
import type { PoolRow } from "../pools/pool-view.ts";
import type { VisitBehind } from "../tracking/visit-behind.ts";
import type { Payment, PaymentDeps } from "./payment.ts";

/** A payment with what is known of where it came from. */
export interface Traced {
  readonly payment: Payment;
  readonly visit: VisitBehind;
  /** The visit's own, else the one that the payment has, else its bot's. */
  readonly pool: PoolRow | null;
}

/** `purchaseEvent` or `initiateCheckoutEvent`. */
type EventOf = (
  payment: PaymentFacts,
  session: SessionFacts | null,
  seller: SellingBot,
  now: Date,
) => MetaEvent;

/** A payment's event as the pool reports it; null where the pool reports nothing, or the visitor does not want it. */
export async function metaEntry(
  deps: PaymentDeps,
  tx: Tx,
  eventOf: EventOf,
  { payment, visit, pool }: Traced,
): Promise<OutboxEntry | null> {
  const pixelId = reportingPixel(pool);
  if (!pool || !pixelId) return null;
  const seller = {
    userId: visit.botUser?.telegramUserId ?? null,
    fallbackUrl: await linkOf(deps, tx, payment, pool),
    starsUsdMinorPerThousand: deps.starsUsdMinorPerThousand,
  };
  const event = eventOf(payment, visit.facts, seller, deps.now());
  const payload = permittedEvent(event, visit.consent, deps.consentDenied);
  if (payload === null) return null;
  return {
    destination: "meta",
    route: formatRoute(pixelId, pool.metaTestEventCode),
    eventName: event.event_name,
    eventId: event.event_id,
    payload,
    poolId: pool.id,
    trackingToken: payment.trackingToken,
    paymentId: payment.id,
    botUserId: payment.botUserId,
  };
}

/** The pool's link, or the bot's where our own address is not known: the event's source where no visit is. */
async function linkOf(
  { db, publicUrl }: PaymentDeps,
  tx: Tx,
  { botId }: Payment,
  { slug }: PoolRow,
): Promise<string> {
  if (publicUrl !== undefined) return `${publicUrl}/go/${slug}`;
  const { bots } = db.tables;
  const [bot] =
    botId === null ? [] : await tx.select({ username: bots.username }).from(bots).where(eq(bots.id, botId));
  return bot ? `https://t.me/${bot.username}` : "https://t.me/";
}
