import { and, eq, inArray } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { deliveryId } from "../meta/event-ids.ts";
import type { OutboxEntry } from "../outbox/enqueue.ts";
import { formatRoute } from "../outbox/routes.ts";
import { deliveryMessage } from "../telegram/messages.ts";
import type { BotUser } from "../tracking/bot-users.ts";
import type { Payment } from "./payment.ts";

/** What was bought, on its way to the buyer; null where it was not sold by a bot of ours. */
export async function deliveryEntry(
  tx: Tx,
  { tables: { offers, bots } }: Database,
  payment: Payment,
  botUser: BotUser | null,
): Promise<OutboxEntry | null> {
  if (payment.offerId === null || botUser === null) return null;
  const [row] = await tx
    .select({ offer: offers, locale: bots.locale })
    .from(offers)
    .innerJoin(bots, eq(bots.id, offers.botId))
    .where(eq(offers.id, payment.offerId));
  if (!row) return null;
  return {
    destination: "telegram",
    route: formatRoute(botUser.botId, null),
    eventName: "delivery",
    eventId: deliveryId(payment.id),
    payload: deliveryMessage(botUser.telegramUserId, row.offer, row.locale ?? botUser.languageCode),
    poolId: payment.poolId,
    trackingToken: payment.trackingToken,
    paymentId: payment.id,
    botUserId: botUser.id,
  };
}

/** Keeps a delivery here that has not gone out yet: the money went back. */
export async function withholdDelivery(tx: Tx, { tables }: Database, payment: Payment): Promise<void> {
  const { outboxEvents, outboxProgress } = tables;
  const delivery = tx
    .select({ id: outboxEvents.id })
    .from(outboxEvents)
    .where(and(eq(outboxEvents.destination, "telegram"), eq(outboxEvents.eventId, deliveryId(payment.id))));
  await tx
    .update(outboxProgress)
    .set({ status: "discarded", lastError: "not sent: the money went back before" })
    .where(and(inArray(outboxProgress.id, delivery), eq(outboxProgress.status, "pending")));
}
