import { and, eq, inArray, isNotNull, isNull, like, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isOneOf } from "../db/dialect.ts";
import { deliveryId } from "../meta/event-ids.ts";
import { type BotUser, isPersonInBot } from "../tracking/bot-users.ts";
import { findSession } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";

/** Opens the reason of a dead row whose person cannot be written to; the rest are Telegram's words. */
export const UNREACHABLE = "the person cannot be reached: ";

/**
 * Somebody blocked the bot, or is gone: written on the person, and as the funnel's state `blocked`, once for each
 * time that it happens. A person that nobody knows changes nothing.
 */
export async function markUnreachable(
  tx: Tx,
  tables: Tables,
  person: Pick<BotUser, "botId" | "telegramUserId">,
  now: Date,
): Promise<void> {
  const { botUsers } = tables;
  const [user] = await tx
    .update(botUsers)
    .set({ blockedAt: now, updatedAt: now })
    .where(and(isPersonInBot(tables, person), isNull(botUsers.blockedAt)))
    .returning();
  if (!user) return;
  const session = await findSession(tx, tables, user.latestToken);
  const step = {
    state: "blocked" as const,
    of: `${user.id}_${now.getTime()}`,
    poolId: session?.poolId ?? null,
    botId: user.botId,
    botUserId: user.id,
    trackingToken: user.latestToken,
  };
  await recordFunnelState(tx, tables, step, now);
}

/** They came back: messages may reach them again, first of all what they have paid for. */
export async function markReachable(
  tx: Tx,
  db: Database,
  person: Pick<BotUser, "botId" | "telegramUserId">,
  now: Date,
): Promise<void> {
  const { botUsers } = db.tables;
  const [user] = await tx
    .update(botUsers)
    .set({ blockedAt: null, updatedAt: now })
    .where(and(isPersonInBot(db.tables, person), isNotNull(botUsers.blockedAt)))
    .returning({ id: botUsers.id });
  if (user) await sendDeliveriesAgain(tx, db, user.id);
}

/** Deliveries that died of the block go out after all. Locked by number, as by who retries or erases events: never crosswise. */
async function sendDeliveriesAgain(tx: Tx, db: Database, botUserId: number): Promise<void> {
  const { tables, dialect } = db;
  const { outboxEvents, outboxProgress, payments } = tables;
  const paid = await tx
    .select({ id: payments.id })
    .from(payments)
    .where(and(eq(payments.botUserId, botUserId), eq(payments.status, "paid")));
  const eventIds = paid.map(({ id }) => deliveryId(id));
  if (eventIds.length === 0) return;
  const deliveries = tx
    .select({ id: outboxEvents.id })
    .from(outboxEvents)
    .where(and(eq(outboxEvents.destination, "telegram"), inArray(outboxEvents.eventId, eventIds)));
  const dead = await dialect.locked(
    tx
      .select({ id: outboxProgress.id })
      .from(outboxProgress)
      .where(
        and(
          inArray(outboxProgress.id, deliveries),
          eq(outboxProgress.status, "dead"),
          like(outboxProgress.lastError, `${UNREACHABLE}%`),
        ),
      )
      .orderBy(outboxProgress.id),
  );
  if (dead.length === 0) return;
  const ids = dead.map(({ id }) => id);
  await tx
    .update(outboxProgress)
    .set({ status: "pending", attempts: 0, availableAt: sql<Date>`${dialect.now}` })
    .where(isOneOf(db, outboxProgress.id, ids));
  await tx.notify("outbox");
}
