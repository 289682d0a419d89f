import { and, inArray, isNull, notLike, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { inChunks } from "./chunks.ts";
import type { Person } from "./person.ts";

/** Begins what stands in the place of a Telegram user's id. */
export const ERASED_USER = "erased-";

/** Visits that still tell of their visitor. */
export function findSessions(
  db: Database,
  { tokens }: Pick<Person, "tokens">,
): Promise<{ id: number; trackingToken: string }[]> {
  const { sessions } = db.tables;
  return inChunks(tokens, (some) =>
    db
      .select({ id: sessions.id, trackingToken: sessions.trackingToken })
      .from(sessions)
      .where(and(inArray(sessions.trackingToken, some), sql`${sessions.consent} is distinct from 'erased'`)),
  );
}

/** The visit stays as a click of its pool and campaign; `erased` keeps it from being filled in or reported again. */
export async function eraseSessions(
  tx: Tx,
  { tables, dialect }: Database,
  ids: readonly number[],
  now: Date,
) {
  const { sessions } = tables;
  const theirs = inArray(sessions.id, [...ids]);
  // By token, as browsers' reports do it: two who write of the same visits never lock them crosswise.
  await dialect.locked(
    tx.select({ id: sessions.id }).from(sessions).where(theirs).orderBy(sessions.trackingToken),
  );
  await tx
    .update(sessions)
    .set({
      fbclid: null,
      fbc: null,
      fbcOrigin: null,
      fbp: null,
      fbi: null,
      grim: null,
      params: null,
      clientIp: null,
      userAgent: null,
      referrer: null,
      eventSourceUrl: null,
      userExternalId: null,
      consent: "erased",
      updatedAt: now,
    })
    .where(theirs);
}

/** People in bots who still have a name or a number. */
export async function findBotUsers(db: Database, { botUserIds }: Person): Promise<number[]> {
  const { botUsers } = db.tables;
  const rows = await inChunks(botUserIds, (some) =>
    db
      .select({ id: botUsers.id })
      .from(botUsers)
      .where(and(inArray(botUsers.id, some), notLike(botUsers.telegramUserId, `${ERASED_USER}%`))),
  );
  return rows.map(({ id }) => id);
}

/** The row stays, nameless, so that the funnel's counts of people stay true. */
export async function eraseBotUsers(
  tx: Tx,
  { tables, dialect }: Database,
  ids: readonly number[],
  now: Date,
) {
  const { botUsers } = tables;
  const theirs = inArray(botUsers.id, [...ids]);
  // By number, so that two erasures never lock them crosswise.
  await dialect.locked(tx.select({ id: botUsers.id }).from(botUsers).where(theirs).orderBy(botUsers.id));
  await tx
    .update(botUsers)
    .set({
      telegramUserId: sql`${ERASED_USER} || ${botUsers.id}`,
      username: null,
      firstName: null,
      languageCode: null,
      firstToken: null,
      latestToken: null,
      blockedAt: null,
      updatedAt: now,
    })
    .where(theirs);
}

/** Payments that still tell of their buyer. */
export async function findPayments(db: Database, { paymentIds }: Person): Promise<string[]> {
  const { payments } = db.tables;
  const rows = await inChunks(paymentIds, (some) =>
    db
      .select({ id: payments.id })
      .from(payments)
      .where(and(inArray(payments.id, some), isNull(payments.erasedAt))),
  );
  return rows.map(({ id }) => id);
}

/** What the books need stays: amounts, dates, the provider's reference, what was sold. */
export async function erasePayments(
  tx: Tx,
  { tables, dialect }: Database,
  ids: readonly string[],
  now: Date,
) {
  const { payments } = tables;
  const theirs = inArray(payments.id, [...ids]);
  // As where purchases are reported once their visits are known: never crosswise.
  await dialect.locked(
    tx.select({ id: payments.id }).from(payments).where(theirs).orderBy(payments.trackingToken, payments.id),
  );
  await tx
    .update(payments)
    .set({ customer: {}, customerUserId: null, erasedAt: now, updatedAt: now })
    .where(theirs);
}
