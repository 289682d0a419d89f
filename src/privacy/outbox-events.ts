import { and, eq, inArray, isNull, ne, or, type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import { eventIdsOfPayment, eventIdsOfVisit } from "../meta/event-ids.ts";
import { erasedPayload, isErased } from "../outbox/erased.ts";
import { carriedRow } from "../outbox/outbox-rows.ts";
import { inChunks } from "./chunks.ts";
import type { Person } from "./person.ts";

/** Why an event that had not gone out never will. */
const ERASED_REASON = "not sent: the person's data was erased";
/** What stands in the place of an answer to something that was sent to them. */
const ERASED_ANSWER = "[erased]";

type Row = Awaited<ReturnType<typeof findEvents>>[number];

/** Everything in the outbox about the person, each query by an index of one table. */
export async function findEvents(db: Database, { tokens, botUserIds, paymentIds }: Person) {
  const { outbox, outboxEvents: events } = db.tables;
  const columns = {
    id: outbox.id,
    destination: outbox.destination,
    route: outbox.route,
    eventName: outbox.eventName,
    status: outbox.status,
    createdAt: outbox.createdAt,
    deliveredAt: outbox.deliveredAt,
    isErased: sql`${isErased(db)}`.mapWith(Boolean),
  };
  const find = (where: SQL | undefined) => db.select({ id: events.id }).from(events).where(where);
  // Of a visit that was passed on, the messages to others are theirs.
  const isTheirs = or(
    eq(events.destination, "meta"),
    isNull(events.botUserId),
    inArray(events.botUserId, [...botUserIds]),
  );
  const eventIds = [...tokens.flatMap(eventIdsOfVisit), ...paymentIds.flatMap(eventIdsOfPayment)];
  const found = [
    ...(await inChunks(tokens, (some) => find(and(inArray(events.trackingToken, some), isTheirs)))),
    ...(await inChunks(botUserIds, (some) => find(inArray(events.botUserId, some)))),
    ...(await inChunks(eventIds, (some) => find(inArray(events.eventId, some)))),
  ];
  const ids = new Set(found.map(({ id }) => id));
  return inChunks([...ids], (some) => db.select(columns).from(outbox).where(inArray(outbox.id, some)));
}

/**
 * Takes the person out of events: what was delivered keeps what the books need, everything else ends as `discarded`.
 * One that is on its way at this moment loses its lease: its dispatcher finds nothing to settle, and nobody tries it
 * again.
 */
export async function eraseEvents(tx: Tx, db: Database, ids: readonly number[]): Promise<void> {
  const { outboxEvents, outboxProgress } = db.tables;
  const rows = await db.dialect.locked(
    tx
      .select({ id: outboxProgress.id, status: outboxProgress.status })
      .from(outboxProgress)
      .where(isOneOf(db, outboxProgress.id, ids))
      .orderBy(outboxProgress.id),
  );
  const locked = rows.map(({ id }) => id);
  const events = await tx
    .select({ id: outboxEvents.id, payload: outboxEvents.payload })
    .from(outboxEvents)
    .where(isOneOf(db, outboxEvents.id, locked));
  await tx.updateMany(
    outboxEvents,
    ["id"],
    events.map(({ id, payload }) => ({ id, payload: erasedPayload(payload) })),
  );
  const unsent = rows.filter(({ status }) => status !== "delivered").map(({ id }) => id);
  await tx
    .update(outboxProgress)
    .set({ status: "discarded", lastError: ERASED_REASON, leaseId: null, leaseUntil: null })
    .where(isOneOf(db, outboxProgress.id, unsent));
}

/** Requests of the Bot API that carried these rows and still have their answer; Meta's answers name nobody. */
export async function findAnswers(db: Database, rows: readonly Row[]): Promise<number[]> {
  const { outboxAttempts } = db.tables;
  const ids = new Set<number>();
  for (const row of rows) {
    if (row.destination !== "telegram") continue;
    const found = await db
      .select({ id: outboxAttempts.id })
      .from(outboxAttempts)
      .where(and(carriedRow(db, row), ne(outboxAttempts.response, ERASED_ANSWER)));
    for (const { id } of found) ids.add(id);
  }
  return [...ids];
}

/** Takes the answers of these requests away; that they were made, and when, stays. */
export async function eraseAnswers(tx: Tx, db: Database, ids: readonly number[]): Promise<void> {
  const { outboxAttempts } = db.tables;
  const theirs = inArray(outboxAttempts.id, [...ids]);
  // By number, so that two erasures never lock them crosswise.
  await db.dialect.locked(
    tx.select({ id: outboxAttempts.id }).from(outboxAttempts).where(theirs).orderBy(outboxAttempts.id),
  );
  await tx.update(outboxAttempts).set({ response: ERASED_ANSWER }).where(theirs);
}
