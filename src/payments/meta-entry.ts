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
import type { BotUser } from "../tracking/bot-users.ts";
import type { VisitBehind } from "../tracking/visit-behind.ts";
import type { Payment, PaymentDeps } from "./payment.ts";

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
  payment: Payment,
  { facts, consent, botUser }: VisitBehind,
  pool: PoolRow | null,
): Promise<OutboxEntry | null> {
  const pixelId = reportingPixel(pool);
  if (!pool || !pixelId) return null;
  const seller = await sellingBot(deps, tx, payment, botUser, pool);
  const event = eventOf(payment, facts, seller, deps.now());
  const payload = permittedEvent(event, consent, deps.consentDenied);
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

/** Who sold: the bot user's id, and the pool's link, else the bot's, as the event's source where no visit is known. */
async function sellingBot(
  { db, publicUrl, starsUsdMinorPerThousand }: PaymentDeps,
  tx: Tx,
  { botId }: Payment,
  botUser: BotUser | null,
  { slug }: PoolRow,
): Promise<SellingBot> {
  const { bots } = db.tables;
  const [bot] =
    botId === null ? [] : await tx.select({ username: bots.username }).from(bots).where(eq(bots.id, botId));
  const botUrl = bot ? `https://t.me/${bot.username}` : "https://t.me/";
  return {
    userId: botUser?.telegramUserId ?? null,
    fallbackUrl: publicUrl === undefined ? botUrl : `${publicUrl}/go/${slug}`,
    starsUsdMinorPerThousand,
  };
}
