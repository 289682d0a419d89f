import { sql } from "drizzle-orm";
import type { Kit } from "../kit-postgres.ts";
import type { Destination, OutboxStatus, PausedBy } from "../vocabulary.ts";

/** What must still reach the other side, and who sends it. */
export function outboxTables(kit: Kit) {
  const { table, index, uniqueIndex, rowId, text, integer, big, instant, json } = kit;

  /** Everything that must still reach Meta or Telegram, and what became of it. */
  const outbox = table(
    "outbox",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      /** What is sent together and fails together: `<pixel>` or `<pixel>/<test code>` at Meta, the bot's id at Telegram. */
      route: text().notNull(),
      eventName: text().notNull(),
      eventId: text().notNull(),
      poolId: big(),
      trackingToken: text(),
      paymentId: text(),
      /** The person in a bot whom it tells of, or is sent to: how everything about somebody is found. */
      botUserId: big(),
      payload: json().notNull(),
      status: text().$type<OutboxStatus>().notNull().default("pending"),
      attempts: integer().notNull().default(0),
      availableAt: instant().notNull(),
      leaseUntil: instant(),
      /** Whose lease it is: a result that arrives under another lease changes nothing. */
      leaseId: text(),
      lastError: text(),
      fbtraceId: text(),
      createdAt: instant().notNull(),
      deliveredAt: instant(),
    },
    (t) => [
      uniqueIndex("outbox_destination_event_id_unique").on(t.destination, t.eventId),
      index("outbox_pending_idx")
        .on(t.destination, t.route, t.availableAt, t.id)
        .where(sql`status = 'pending'`),
      index("outbox_sending_idx").on(t.leaseUntil).where(sql`status = 'sending'`),
      index("outbox_troubled_idx").on(t.status, t.id).where(sql`status in ('dead', 'expired', 'discarded')`),
      index("outbox_token_idx").on(t.trackingToken).where(sql`tracking_token is not null`),
      index("outbox_bot_user_idx").on(t.botUserId).where(sql`bot_user_id is not null`),
      index("outbox_payment_idx").on(t.paymentId).where(sql`payment_id is not null`),
    ],
  );

  /** One request made for a batch of outbox rows, and its answer. */
  const outboxAttempts = table(
    "outbox_attempts",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      outboxIds: json().$type<readonly number[]>().notNull(),
      events: integer().notNull(),
      outcome: text().notNull(),
      /** HTTP status; null where no answer came. */
      status: integer(),
      code: integer(),
      subcode: integer(),
      fbtraceId: text(),
      durationMs: integer().notNull(),
      response: text().notNull(),
      startedAt: instant().notNull(),
    },
    (t) => [index("outbox_attempts_route_started_idx").on(t.destination, t.route, t.startedAt)],
  );

  /** What the dispatchers know of a route: absent means "fine". */
  const outboxRoutes = table(
    "outbox_routes",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      /** Set while an operator's help is needed; cleared by `resume` or by a changed credential. */
      pausedAt: instant(),
      pausedReason: text(),
      /** Null: before this was written down. */
      pausedBy: text().$type<PausedBy>(),
      throttledUntil: instant(),
      /** Answers in a row that asked for quiet. */
      throttles: integer().notNull().default(0),
      failures: integer().notNull().default(0),
      openUntil: instant(),
      /** Refusals in a row that nothing in the events explained. */
      unexplained: integer().notNull().default(0),
      updatedAt: instant().notNull(),
    },
    (t) => [uniqueIndex("outbox_routes_destination_route_unique").on(t.destination, t.route)],
  );

  /** A dispatcher's sign of life, for `/readyz` and the console. */
  const dispatchers = table("dispatchers", {
    id: text().primaryKey(),
    host: text().notNull(),
    pid: integer().notNull(),
    startedAt: instant().notNull(),
    heartbeatAt: instant().notNull(),
  });

  return { outbox, outboxAttempts, outboxRoutes, dispatchers };
}
