import { desc, eq, inArray, or, type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { isOneOf } from "../db/dialect.ts";
import { eventIdsOfPayment, eventIdsOfVisit } from "../meta/event-ids.ts";
import type { VisitorRows } from "./timeline-view.ts";

/** Rows of one kind that a timeline shows at most: the newest. */
export const MOST_ROWS = 200;

/** Which rows are the visitor's, besides those that carry the token. */
interface VisitorsOwn {
  readonly states: SQL | undefined;
  readonly payments: SQL | undefined;
  readonly people?: SQL | undefined;
  /** Of `outbox_events`. */
  readonly events?: SQL | undefined;
}

/** Reads a visitor's rows, every query by an index. */
export async function readVisitor(
  db: Database,
  token: string | null,
  where: VisitorsOwn,
): Promise<VisitorRows> {
  const { tables } = db;
  const { sessions, pools, funnelStates, payments } = tables;
  const [[found], states, paymentRows] = await Promise.all([
    db
      .select({ session: sessions, pool: { id: pools.id, slug: pools.slug, name: pools.name } })
      .from(sessions)
      .leftJoin(pools, eq(pools.id, sessions.poolId))
      .where(eq(sessions.trackingToken, token ?? "")),
    db.select().from(funnelStates).where(where.states).orderBy(desc(funnelStates.id)).limit(MOST_ROWS),
    db.select().from(payments).where(where.payments).orderBy(desc(payments.id)).limit(MOST_ROWS),
  ]);
  const session = found?.session ?? null;
  const [people, outbox, offers] = await Promise.all([
    readPeople(db, token, states, where.people),
    readOutbox(db, token, paymentRows, where.events),
    readOffers(db, states),
  ]);
  const bots = await readBots(db, [
    ...(session ? [session.botId] : []),
    ...people.map(({ botId }) => botId),
    ...states.map(({ botId }) => botId),
  ]);
  return {
    trackingToken: token,
    session,
    pool: found?.pool ?? null,
    bots,
    people,
    states: states.reverse(),
    offers,
    payments: paymentRows.reverse(),
    outbox,
  };
}

async function readPeople(
  db: Database,
  token: string | null,
  states: VisitorRows["states"],
  wanted: SQL | undefined,
) {
  const { botUsers } = db.tables;
  const ids = distinct(states.map(({ botUserId }) => botUserId));
  const where = or(
    wanted,
    token === null ? undefined : eq(botUsers.latestToken, token),
    ids.length === 0 ? undefined : inArray(botUsers.id, ids),
  );
  return where === undefined ? [] : db.select().from(botUsers).where(where).limit(MOST_ROWS);
}

async function readOutbox(
  db: Database,
  token: string | null,
  paymentRows: VisitorRows["payments"],
  wanted: SQL | undefined,
) {
  const { outbox, outboxEvents } = db.tables;
  const eventIds = [
    ...(token === null ? [] : eventIdsOfVisit(token)),
    ...paymentRows.flatMap(({ id }) => eventIdsOfPayment(id)),
  ];
  const columns = {
    id: outbox.id,
    destination: outbox.destination,
    route: outbox.route,
    eventName: outbox.eventName,
    eventId: outbox.eventId,
    status: outbox.status,
    attempts: outbox.attempts,
    lastError: outbox.lastError,
    fbtraceId: outbox.fbtraceId,
    createdAt: outbox.createdAt,
    deliveredAt: outbox.deliveredAt,
  };
  // Found in their own table first: with statistics of an emptier one, Postgres joins both tables whole.
  const find = (where: SQL) => db.select({ id: outboxEvents.id }).from(outboxEvents).where(where);
  // The plus keeps the planner from walking back through everybody's.
  const newest = sql`+${outboxEvents.id} desc`;
  const own = token === null ? wanted : eq(outboxEvents.trackingToken, token);
  const [byOwner, byEvent] = await Promise.all([
    own === undefined ? [] : find(own).orderBy(newest).limit(MOST_ROWS),
    eventIds.length === 0 ? [] : find(inArray(outboxEvents.eventId, eventIds)),
  ]);
  const ids = [...byOwner, ...byEvent].map(({ id }) => id);
  if (ids.length === 0) return [];
  return db
    .select(columns)
    .from(outbox)
    .where(isOneOf(db, outbox.id, ids))
    .orderBy(outbox.id);
}

async function readOffers(db: Database, states: VisitorRows["states"]) {
  const { offers } = db.tables;
  const ids = distinct(states.map(({ offerId }) => offerId));
  if (ids.length === 0) return [];
  return db.select({ id: offers.id, name: offers.name }).from(offers).where(inArray(offers.id, ids));
}

async function readBots(db: Database, botIds: readonly (number | null)[]) {
  const { bots } = db.tables;
  const ids = distinct(botIds);
  if (ids.length === 0) return [];
  return db.select({ id: bots.id, username: bots.username }).from(bots).where(inArray(bots.id, ids));
}

function distinct(ids: readonly (number | null)[]): number[] {
  return [...new Set(ids.filter((id) => id !== null))];
}
