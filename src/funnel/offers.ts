import { and, asc, eq } from "drizzle-orm";
import type { Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { TELEGRAM_STARS } from "../money/currencies.ts";
import { enqueue } from "../outbox/enqueue.ts";
import { invoiceMessage, offerMessage, welcomeMessage } from "../telegram/messages.ts";
import { providerOf, TELEGRAM_PROVIDER } from "../telegram/sale.ts";
import type { Person } from "../tracking/bot-users.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import { checkoutEntry, messageEntry } from "./outgoing.ts";
import { recordStart, recordVisitor } from "./record-start.ts";
import type { Turn } from "./turn.ts";

type Offer = Tables["offers"]["$inferSelect"];

/** What a bot sells, in its order. */
async function offersOf(reader: Reader, { offers }: Tables, botId: number): Promise<Offer[]> {
  return reader
    .select()
    .from(offers)
    .where(and(eq(offers.botId, botId), eq(offers.enabled, true)))
    .orderBy(asc(offers.position), asc(offers.id));
}

/** An offer that this bot sells now; null where it is another's, or no longer for sale. */
export async function findOffer(
  reader: Reader,
  { offers }: Tables,
  botId: number,
  offerId: number,
): Promise<Offer | null> {
  const [offer] = await reader
    .select()
    .from(offers)
    .where(and(eq(offers.id, offerId), eq(offers.botId, botId), eq(offers.enabled, true)));
  return offer ?? null;
}

/** /start: the person is linked to their visit and greeted with what there is to buy. */
export async function welcome(
  { deps, bot, now, updateId }: Turn,
  tx: Tx,
  person: Person,
  token: string | null,
): Promise<void> {
  const { db } = deps;
  const started = await recordStart(deps, tx, { bot, person, token, now });
  const { botUser } = started;
  const message = welcomeMessage(
    botUser.telegramUserId,
    {
      welcome: bot.welcome,
      offers: await offersOf(tx, db.tables, bot.id),
      firstName: botUser.firstName,
    },
    bot.locale ?? botUser.languageCode,
  );
  const about = { eventName: "welcome", eventId: `welcome_${bot.id}_${updateId}` };
  await enqueue(tx, db.tables, [messageEntry(started, message, about)]);
}

/** An offer's button: it is described, with its button to buy. */
export async function showOffer(
  { deps: { db }, bot, now, updateId }: Turn,
  tx: Tx,
  person: Person,
  offer: Offer,
): Promise<void> {
  const visitor = await recordVisitor(tx, db, { bot, person, token: null, now });
  const { botUser, poolId, trackingToken } = visitor;
  const step = {
    state: "offer_viewed" as const,
    of: `${botUser.id}_${trackingToken ?? "organic"}_${offer.id}`,
    poolId,
    botId: bot.id,
    botUserId: botUser.id,
    trackingToken,
    offerId: offer.id,
  };
  await recordFunnelState(tx, db.tables, step, now);
  const language = bot.locale ?? botUser.languageCode;
  const about = { eventName: "offer", eventId: `offer_${bot.id}_${updateId}` };
  await enqueue(tx, db.tables, [
    messageEntry(visitor, offerMessage(botUser.telegramUserId, offer, language), about),
  ]);
}

/** The button to buy: a payment is registered, and the way to pay goes out. */
export async function sell(turn: Turn, tx: Tx, person: Person, seen: Offer): Promise<void> {
  const { deps, bot, now, updateId } = turn;
  const { db, sales } = deps;
  const visitor = await recordVisitor(tx, db, { bot, person, token: null, now });
  const { botUser, trackingToken } = visitor;
  // The buyer pays what the payment asks for: the offer may have been changed since it was seen.
  const { paymentId, offer } = await sales.beginCheckout(tx, {
    botId: bot.id,
    botUserId: botUser.id,
    offerId: seen.id,
    trackingToken,
    deduplicate: `${bot.id}_${updateId}`,
  });
  const language = bot.locale ?? botUser.languageCode;
  const chatId = botUser.telegramUserId;
  const eventId = `checkout_${paymentId}_${updateId}`;
  const isInvoice = providerOf(offer) === TELEGRAM_PROVIDER;
  const entry = isInvoice
    ? messageEntry(visitor, invoiceMessage(chatId, offer, paymentId), {
        eventName: "checkout",
        eventId,
        paymentId,
        // In money, it needs a provider's token.
        ...(offer.currency !== TELEGRAM_STARS && { lane: TELEGRAM_PROVIDER }),
      })
    : checkoutEntry(
        visitor,
        { payment_id: paymentId, chat_id: chatId, language },
        { eventId, provider: offer.provider },
      );
  await enqueue(tx, db.tables, [entry]);
}
