import { eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { ClaimedRow } from "../outbox/destination.ts";
import { enqueue } from "../outbox/enqueue.ts";
import type { Ending, OnSettled } from "../outbox/record-request.ts";
import { unpayableMessage } from "../telegram/checkout-message.ts";
import { isPersonInBot } from "../tracking/bot-users.ts";
import { paymentStep, recordFunnelState } from "../tracking/funnel-states.ts";
import { botOfRoute, chatOf, messageEntry, readOutgoing } from "./outgoing.ts";
import { markUnreachable } from "./unreachable.ts";

/**
 * What the end of a Telegram row means for the funnel, written in the transaction that settles it: a delivery that
 * went out is `delivered`, a person who cannot be written to is `blocked`, and who wanted to buy what cannot be paid
 * hears so.
 */
export function funnelOnSettled({ db, now }: { readonly db: Database; readonly now: () => Date }): OnSettled {
  async function onEnd(tx: Tx, row: ClaimedRow, ending: Ending, route: string): Promise<void> {
    switch (ending.kind) {
      case "delivered":
        if (row.eventName === "delivery") await markDelivered(tx, db, row, now());
        return;
      case "dead":
        if (ending.because === "unreachable") await markUnreachableOf(tx, db, route, row, now());
        if (ending.because === "unpayable") await apologize(tx, db, route, row);
        return;
      case "expired":
      case "discarded":
        return;
    }
  }

  return async (tx, rows, ending, { destination, route }) => {
    if (destination !== "telegram") return;
    for (const row of rows) await onEnd(tx, row, ending, route);
  };
}

async function markDelivered(tx: Tx, { tables }: Database, { paymentId }: ClaimedRow, now: Date) {
  if (paymentId === null) return;
  const { payments } = tables;
  const [payment] = await tx.select().from(payments).where(eq(payments.id, paymentId));
  if (payment) await recordFunnelState(tx, tables, paymentStep("delivered", payment), now);
}

async function markUnreachableOf(tx: Tx, { tables }: Database, route: string, row: ClaimedRow, now: Date) {
  const outgoing = readOutgoing(row.payload);
  if (outgoing === null) return;
  await markUnreachable(tx, tables, { botId: botOfRoute(route), telegramUserId: chatOf(outgoing) }, now);
}

/** The tap on "buy" is answered all the same, by the bot's own lane. */
async function apologize(tx: Tx, { tables }: Database, route: string, row: ClaimedRow): Promise<void> {
  const outgoing = readOutgoing(row.payload);
  if (outgoing === null) return;
  const botId = botOfRoute(route);
  const chatId = chatOf(outgoing);
  const { bots, botUsers } = tables;
  const [botUser] = await tx
    .select({ id: botUsers.id, languageCode: botUsers.languageCode, locale: bots.locale })
    .from(botUsers)
    .innerJoin(bots, eq(bots.id, botUsers.botId))
    .where(isPersonInBot(tables, { botId, telegramUserId: chatId }));
  if (!botUser) return;
  const about = { eventName: "unpayable", eventId: `unpayable_${row.eventId}` };
  const { poolId, trackingToken } = row;
  const message = unpayableMessage(chatId, botUser.locale ?? botUser.languageCode);
  await enqueue(tx, tables, [messageEntry({ botId, botUser, poolId, trackingToken }, message, about)]);
}
