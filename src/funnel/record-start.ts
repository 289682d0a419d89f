import type { Database, Tx } from "../db/database.ts";
import { type DeniedPolicy, permittedEvent } from "../meta/consent.ts";
import { leadId } from "../meta/event-ids.ts";
import { leadEvent } from "../meta/step-event.ts";
import { enqueue } from "../outbox/enqueue.ts";
import { formatRoute } from "../outbox/routes.ts";
import { findPoolOf, reportingPixel } from "../pools/find-pool-of.ts";
import type { PoolRow } from "../pools/pool-view.ts";
import { type BotUser, type Person, saveBotUser } from "../tracking/bot-users.ts";
import { findSession, holdSession } from "../tracking/find-session.ts";
import { recordFunnelState } from "../tracking/funnel-states.ts";
import { nameVisit } from "../tracking/name-visits.ts";
import { type Session, sessionFacts } from "../tracking/session.ts";
import { consentInToken, isWorthKeeping } from "../tracking/tracking-token.ts";
import { consentByNow } from "../tracking/visit-behind.ts";
import type { Recipient } from "./outgoing.ts";
import { markReachable } from "./unreachable.ts";

/** Somebody shows up in a bot. */
interface Arrival {
  readonly bot: { readonly id: number; readonly username: string };
  readonly person: Person;
  /** Of the visit that they name, if any. */
  readonly token: string | null;
  readonly now: Date;
}

/** Somebody in a bot, and the visit that brought them. */
interface Visitor extends Recipient {
  readonly botUser: BotUser;
  /** Null where they came without one, or where it is not in the database yet. */
  readonly session: Session | null;
  readonly pool: PoolRow | null;
}

export interface Started extends Visitor {
  /** Whether this is the first start of this person with this visit. */
  readonly isFirst: boolean;
}

export interface StartDeps {
  readonly db: Database;
  /** What becomes of the Lead of somebody who denied consent. */
  readonly consentDenied: DeniedPolicy;
}

/**
 * Whoever pressed /start, linked to the visit of their token: person, session, the funnel's `started` and, where the
 * pool wants it, a Lead. Without a token, or with one that cannot be ours, it is an organic start, and what is known
 * of the person stays.
 */
export async function recordStart(deps: StartDeps, tx: Tx, arrival: Arrival): Promise<Started> {
  const { db } = deps;
  const { bot, now } = arrival;
  const visitor = await recordVisitor(tx, db, arrival);
  const { botUser, trackingToken, poolId } = visitor;
  if (botUser.blockedAt !== null) await markReachable(tx, db, botUser, now);
  const step = {
    state: "started" as const,
    of: `${botUser.id}_${trackingToken ?? "organic"}`,
    poolId,
    botId: bot.id,
    botUserId: botUser.id,
    trackingToken,
  };
  const isFirst = await recordFunnelState(tx, db.tables, step, now);
  if (isFirst) await enqueueLead(deps, tx, visitor, arrival);
  return { ...visitor, isFirst };
}

/** Brings the person's row up to date and finds their visit (of `token`, else the latest), which learns who came by it. */
export async function recordVisitor(
  tx: Tx,
  db: Database,
  { bot, person, token, now }: Arrival,
): Promise<Visitor> {
  const { tables } = db;
  const botId = bot.id;
  const found = await findSession(tx, tables, token);
  // Whoever had that visit erased is a stranger when they come again.
  const isErased = found?.consent === "erased";
  const named = isErased ? null : found;
  const isKept = named !== null || (token !== null && !isErased && isWorthKeeping(token, now));
  const kept = isKept ? token : null;
  const botUser = await saveBotUser(tx, tables, { botId, person, trackingToken: kept }, now);
  // An update that comes late is about its own visit, even where a newer one is known already.
  const trackingToken = kept ?? botUser.latestToken;
  const { telegramUserId } = person;
  if (trackingToken !== null) await nameVisit(tx, tables, { trackingToken, telegramUserId }, now);
  const session = await holdSession(tx, db, trackingToken);
  const pool = await findPoolOf(tx, db, { poolId: session?.poolId ?? null, botId });
  return { botId, botUser, session, pool, poolId: pool?.id ?? null, trackingToken };
}

async function enqueueLead(
  { db: { tables }, consentDenied }: StartDeps,
  tx: Tx,
  { botUser, session, pool, trackingToken }: Visitor,
  { bot, now }: Arrival,
): Promise<void> {
  const pixelId = reportingPixel(pool);
  if (!pool?.sendLead || !pixelId) return;
  const seller = { userId: botUser.telegramUserId, fallbackUrl: `https://t.me/${bot.username}` };
  const lead = leadEvent(session && sessionFacts(session), seller, now, now);
  // Without a session it is one per person and bot: the same person may well be a lead of two shops.
  const eventId = session ? lead.event_id : leadId(`user_${botUser.id}`);
  const said = session ? session.consent : consentInToken(trackingToken);
  const consent = await consentByNow(tx, tables, { botUser, trackingToken, consent: said });
  const payload = permittedEvent({ ...lead, event_id: eventId }, consent, consentDenied);
  if (payload === null) return;
  await enqueue(tx, tables, [
    {
      destination: "meta",
      route: formatRoute(pixelId, pool.metaTestEventCode),
      eventName: "Lead",
      eventId,
      payload,
      poolId: pool.id,
      trackingToken,
      botUserId: botUser.id,
    },
  ]);
}
