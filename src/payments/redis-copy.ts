import { and, eq } from "drizzle-orm";
import { isBotNamed } from "../bots/bot-view.ts";
import { findDatabaseId } from "../db/database-id.ts";
import { findBotUser } from "../tracking/bot-users.ts";
import { findSession } from "../tracking/find-session.ts";
import type { RecallVisit } from "../tracking/recall-visit.ts";
import type { StoredVisit } from "../tracking/tracking-store.ts";
import type { PaymentDeps } from "./payment.ts";
import type { PaymentDetails } from "./payment-input.ts";

export interface RedisCopyDeps extends Pick<PaymentDeps, "db"> {
  /** Tracking data of a token that the database does not have (yet), such as a visit that is still spooled. */
  readonly trackingData: (token: string) => Promise<StoredVisit | null>;
  /** Absent: no visit ever waits. */
  readonly recallVisit?: RecallVisit;
}

/** What is known of whose a payment is, before its transaction. */
export interface Owner {
  readonly trackingToken: string | null;
  readonly botUserId: number | null;
}

/**
 * What Redis has of the visit behind a payment, only where that visit is not in the database. One that still waits on
 * this machine's disk is brought in first: without it nobody knows whose pixel the Purchase belongs to. Asked for
 * before the transaction: nothing inside one may wait for Redis. A copy of another database's visit is left alone: its
 * numbers are of other pools here, as where two installations share one Redis.
 */
export async function redisCopyOf(
  { db, trackingData, recallVisit }: RedisCopyDeps,
  { trackingToken, botUserId }: Owner,
): Promise<StoredVisit | null> {
  const { tables } = db;
  const token = trackingToken ?? (await findBotUser(db, tables, botUserId))?.latestToken ?? null;
  if (token === null) return null;
  if ((await findSession(db, tables, token)) !== null || (await recallVisit?.(token))) return null;
  const copy = await trackingData(token);
  const database = copy?.database ?? null;
  return database === null || database === (await findDatabaseId(db)) ? copy : null;
}

/** Whose a payment is by what somebody says of it. */
export async function ownerFromDetails({ db }: RedisCopyDeps, said: PaymentDetails): Promise<Owner> {
  const { bot, telegram_user_id, tracking_token: trackingToken = null } = said;
  if (trackingToken !== null || bot === undefined || telegram_user_id === undefined) {
    return { trackingToken, botUserId: null };
  }
  const { bots, botUsers } = db.tables;
  const [user] = await db
    .select({ id: botUsers.id })
    .from(botUsers)
    .innerJoin(bots, eq(bots.id, botUsers.botId))
    .where(and(isBotNamed(db.tables, bot), eq(botUsers.telegramUserId, telegram_user_id)));
  return { trackingToken, botUserId: user?.id ?? null };
}
