import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { parseEventId } from "../meta/event-ids.ts";
import { isId } from "../platform/ids.ts";
import { paymentStepKeys } from "./funnel-states.ts";
import { isTelegramUserId } from "./telegram-user-id.ts";
import { MOST_ROWS, readVisitor } from "./timeline-rows.ts";
import { type Step, timelineSteps } from "./timeline-steps.ts";
import {
  type OutboxSummaryView,
  outboxSummaryView,
  type PaymentView,
  type PersonView,
  paymentView,
  personView,
  type SessionView,
  sessionView,
  type VisitorRows,
} from "./timeline-view.ts";
import { isTrackingToken } from "./tracking-token.ts";

/** Everything known of one visitor, from click to delivery, ready for JSON. */
export interface Timeline {
  /** Null for a person who came without an ad. */
  readonly tracking_token: string | null;
  readonly session: SessionView | null;
  readonly people: readonly PersonView[];
  readonly payments: readonly PaymentView[];
  readonly outbox: readonly OutboxSummaryView[];
  readonly steps: readonly Step[];
}

// What cannot be a key is not asked for: some of it (a NUL) no database would take.
const EVENT_ID = /^[\x21-\x7e]{1,200}$/;

const MOST_TIMELINES = 20;

/** The visit of that tracking token; null where nothing is known of it. */
export async function timelineByToken(db: Database, token: string): Promise<Timeline | null> {
  if (!isTrackingToken(token)) return null;
  const { funnelStates, payments } = db.tables;
  const rows = await readVisitor(db, token, {
    states: eq(funnelStates.trackingToken, token),
    payments: eq(payments.trackingToken, token),
  });
  const isKnown = rows.session !== null || rows.states.length + rows.payments.length + rows.people.length > 0;
  return isKnown ? timelineOf(rows) : null;
}

/** The visitor who made that payment. */
export async function timelineByPayment(db: Database, paymentId: string): Promise<Timeline | null> {
  if (!isId(paymentId)) return null;
  const { payments, funnelStates } = db.tables;
  const [payment] = await db.select().from(payments).where(eq(payments.id, paymentId));
  if (payment === undefined) return null;
  if (payment.trackingToken !== null) return timelineByToken(db, payment.trackingToken);
  if (payment.botUserId !== null) return timelineOfPerson(db, payment.botUserId);
  return timelineOf(
    await readVisitor(db, null, {
      states: inArray(funnelStates.dedupKey, paymentStepKeys(paymentId)),
      payments: eq(payments.id, paymentId),
    }),
  );
}

/** The visitor whom that event reports, by its `event_id` at Meta or Telegram. */
export async function timelineByEventId(db: Database, eventId: string): Promise<Timeline | null> {
  if (!EVENT_ID.test(eventId)) return null;
  const { outboxEvents: events } = db.tables;
  const [row] = await db
    .select({
      trackingToken: events.trackingToken,
      paymentId: events.paymentId,
      botUserId: events.botUserId,
    })
    .from(events)
    .where(eq(events.eventId, eventId));
  if (row?.trackingToken) return timelineByToken(db, row.trackingToken);
  if (row?.paymentId) return timelineByPayment(db, row.paymentId);
  if (row?.botUserId) return timelineOfPerson(db, row.botUserId);
  // Retention removes delivered rows, but the id itself says whose event it was.
  const named = parseEventId(eventId);
  if (named === null) return null;
  return named.of === "visit" ? timelineByToken(db, named.id) : timelineByPayment(db, named.id);
}

/** All visits of a Telegram user, newest first, and what the person did without an ad. */
export async function timelinesByTelegramUser(db: Database, telegramUserId: string): Promise<Timeline[]> {
  if (!isTelegramUserId(telegramUserId)) return [];
  const { botUsers, funnelStates } = db.tables;
  const people = await db
    .select()
    .from(botUsers)
    .where(eq(botUsers.telegramUserId, telegramUserId))
    .limit(MOST_TIMELINES);
  if (people.length === 0) return [];
  const ids = people.map(({ id }) => id);
  const reached = await db
    .selectDistinct({ token: funnelStates.trackingToken })
    .from(funnelStates)
    .where(inArray(funnelStates.botUserId, ids))
    .limit(MOST_ROWS);
  const tokens = [
    ...people.flatMap(({ firstToken, latestToken }) => [firstToken, latestToken]),
    ...reached.map(({ token }) => token),
  ].filter((token) => token !== null);
  // Tokens begin with their time.
  const newest = [...new Set(tokens)].sort().reverse().slice(0, MOST_TIMELINES);
  const visits = await Promise.all(newest.map((token) => timelineByToken(db, token)));
  const organic = await Promise.all(ids.map((id) => timelineOfPerson(db, id)));
  return [
    ...visits.filter((timeline) => timeline !== null),
    ...organic.filter(({ steps }) => steps.length > 0),
  ];
}

/** What a person did in a bot outside of any visit. */
async function timelineOfPerson(db: Database, botUserId: number): Promise<Timeline> {
  const { funnelStates, payments, botUsers, outboxEvents } = db.tables;
  const rows = await readVisitor(db, null, {
    states: and(eq(funnelStates.botUserId, botUserId), isNull(funnelStates.trackingToken)),
    payments: and(eq(payments.botUserId, botUserId), isNull(payments.trackingToken)),
    people: eq(botUsers.id, botUserId),
    events: and(eq(outboxEvents.botUserId, botUserId), isNull(outboxEvents.trackingToken)),
  });
  return timelineOf(rows);
}

function timelineOf(rows: VisitorRows): Timeline {
  return {
    tracking_token: rows.trackingToken,
    session: rows.session && sessionView(rows.session, rows),
    people: rows.people.map((person) => personView(person, rows)),
    payments: rows.payments.map(paymentView),
    outbox: rows.outbox.map(outboxSummaryView),
    steps: timelineSteps(rows),
  };
}
