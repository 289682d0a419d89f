import { eq } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { OnSettled } from "../outbox/deliver.ts";
import type { ClaimedRow } from "../outbox/destination.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import { botOfRoute, chatOf, readOutgoing } from "./outgoing.ts";
import { markUnreachable, UNREACHABLE } from "./unreachable.ts";

/**
 * What the end of a Telegram row means for the funnel, written in the transaction that settles it: a delivery that
 * went out is `delivered`, and a person who cannot be written to is `blocked`.
 */
export function funnelOnSettled({ db, now }: { readonly db: Database; readonly now: () => Date }): OnSettled {
  return async (tx, rows, ending, { destination, route }) => {
    if (destination !== "telegram") return;
    for (const row of rows) {
      switch (ending.kind) {
        case "delivered":
          if (row.eventName === "delivery") await markDelivered(db, tx, row, now());
          break;
        case "dead":
          if (ending.reason.startsWith(UNREACHABLE)) await markUnreachableOf(db, tx, route, row, now());
          break;
        case "expired":
          break;
      }
    }
  };
}

async function markDelivered({ tables }: Database, tx: Tx, { paymentId }: ClaimedRow, now: Date) {
  if (paymentId === null) return;
  const { payments } = tables;
  const [payment] = await tx.select().from(payments).where(eq(payments.id, paymentId));
  if (!payment) return;
  const { poolId, botId, botUserId, trackingToken, offerId } = payment;
  const step = { of: paymentId, poolId, botId, botUserId, trackingToken, offerId, paymentId };
  await recordFunnelState(tx, tables, { ...step, state: "delivered" }, now);
}

async function markUnreachableOf({ tables }: Database, tx: Tx, route: string, row: ClaimedRow, now: Date) {
  const outgoing = readOutgoing(row.payload);
  if (outgoing === null) return;
  await markUnreachable(tx, tables, { botId: botOfRoute(route), telegramUserId: chatOf(outgoing) }, now);
}
