import { sql } from "drizzle-orm";
import type { Kit } from "../postgres/kit.ts";
import type { AttemptOutcome, Destination, OutboxStatus, PausedBy } from "../vocabulary.ts";

/**
 * What must still reach the other side, and who sends it.
 *
 * An event lies in two tables under one number. A lease and an outcome each rewrite a row, on Postgres with an entry in
 * every index of its table: so what they change is narrow and apart from the payload and from what events are looked up
 * by. The view `outbox` is both as one table, for whoever lists rows; whoever only counts asks `outbox_progress`.
 */
export function outboxTables(kit: Kit) {
  const { table, view, index, uniqueIndex, rowId, text, integer, big, instant, json } = kit;

  const event = () => ({
    id: rowId(),
    destination: text().$type<Destination>().notNull(),
    eventId: text().notNull(),
    trackingToken: text(),
    paymentId: text(),
    /** The person in a bot whom it tells of, or is sent to: how everything about somebody is found. */
    botUserId: big(),
    payload: json().notNull(),
  });

  const progress = () => ({
    /** The event's. */
    id: big().primaryKey(),
    destination: text().$type<Destination>().notNull(),
    /** What is sent together and fails together: `<pixel>` or `<pixel>/<test code>` at Meta, the bot's id at Telegram. */
    route: text().notNull(),
    eventName: text().notNull(),
    poolId: big(),
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
  });

  /** What is sent. */
  const outboxEvents = table("outbox_events", event(), (t) => [
    uniqueIndex("outbox_events_event_id_destination_unique").on(t.eventId, t.destination),
    index("outbox_events_token_idx").on(t.trackingToken).where(sql`tracking_token is not null`),
    index("outbox_events_bot_user_idx").on(t.botUserId).where(sql`bot_user_id is not null`),
    index("outbox_events_payment_idx").on(t.paymentId).where(sql`payment_id is not null`),
  ]);

  /** How far it is. */
  const outboxProgress = table("outbox_progress", progress(), (t) => [
    index("outbox_pending_idx")
      .on(t.destination, t.route, t.availableAt, t.id)
      .where(sql`status = 'pending'`),
    index("outbox_sending_idx").on(t.leaseUntil).where(sql`status = 'sending'`),
    index("outbox_troubled_idx").on(t.status, t.id).where(sql`status in ('dead', 'expired', 'discarded')`),
  ]);

  /** Everything that must still reach Meta or Telegram, and what became of it, for whoever reads. */
  const outbox = view("outbox", { ...event(), ...progress() }).existing();

  /** One request made for a batch of outbox rows, and its answer. */
  const outboxAttempts = table(
    "outbox_attempts",
    {
      id: rowId(),
      destination: text().$type<Destination>().notNull(),
      route: text().notNull(),
      outboxIds: json().$type<readonly number[]>().notNull(),
      events: integer().notNull(),
      outcome: text().$type<AttemptOutcome>().notNull(),
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
      /** Answers in a row that asked to slow down. */
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

  return { outbox, outboxEvents, outboxProgress, outboxAttempts, outboxRoutes, dispatchers };
}
