import { and, desc, eq, isNotNull } from "drizzle-orm";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import type { Consent } from "../platform/consent.ts";
import { type BotUser, isPersonInBot } from "./bot-users.ts";
import { findSession, holdSession } from "./find-session.ts";
import { type Session, sessionFacts } from "./session.ts";
import type { StoredVisit } from "./tracking-store.ts";
import { consentInToken } from "./tracking-token.ts";

/** The visit that a payment came of, and the person. */
export interface VisitBehind {
  /** The visit's row; null where there is none, or not yet. */
  readonly session: Session | null;
  /** What Meta is told of the visit: out of its row, else out of Redis. */
  readonly facts: SessionFacts | null;
  /** What its visitor said of being reported; where nothing is known of the visit, what its token says. */
  readonly consent: Consent | null;
  readonly botUser: BotUser | null;
  readonly trackingToken: string | null;
  /** As the visit itself names them; null where nothing is known of it. */
  readonly poolId: number | null;
  readonly botId: number | null;
}

/**
 * Finds the visit behind a payment: that of its token, else the person's latest, else what Redis has of either; and the
 * person, where only the visit is named. The visit stays as it is until the transaction ends.
 *
 * @param redisCopy the visit as Redis knows it, asked for before the transaction
 */
export async function visitBehind(
  tx: Tx,
  db: Database,
  known: { readonly trackingToken: string | null; readonly botUser: BotUser | null },
  redisCopy: StoredVisit | null,
): Promise<VisitBehind> {
  const { tables } = db;
  const named = await holdSession(tx, db, known.trackingToken);
  const botUser = known.botUser ?? (await visitorOf(tx, tables, known.trackingToken, named));
  const session = named ?? (await holdSession(tx, db, botUser?.latestToken ?? null));
  const trackingToken = known.trackingToken ?? session?.trackingToken ?? botUser?.latestToken ?? null;
  const copy = session === null && redisCopy?.trackingToken === trackingToken ? redisCopy : null;
  const facts = session === null ? copy : sessionFacts(session);
  // Another visit of the same person does not take back what was said with this one.
  const said = facts?.trackingToken === trackingToken ? null : consentInToken(trackingToken);
  const consent = said ?? facts?.consent ?? null;
  return {
    session,
    facts,
    consent: await consentByNow(tx, tables, { botUser, trackingToken, consent }),
    botUser,
    trackingToken,
    poolId: session?.poolId ?? copy?.poolId ?? null,
    botId: session?.botId ?? copy?.botId ?? null,
  };
}

/**
 * What somebody says of being reported, by what they said with a visit (`consent`) or, after it, with their latest one to
 * any of our bots: a refusal counts for all that they do from then on. Tokens grow with time.
 *
 * @param trackingToken the visit's; null where none is known, so that every other one is later
 */
export async function consentByNow(
  reader: Reader,
  tables: Tables,
  visit: Pick<VisitBehind, "botUser" | "trackingToken" | "consent">,
): Promise<Consent | null> {
  const { botUsers } = tables;
  const { botUser, trackingToken, consent } = visit;
  if (botUser === null || consent === "denied" || consent === "erased") return consent;
  const [latest] = await reader
    .select({ token: botUsers.latestToken })
    .from(botUsers)
    .where(and(eq(botUsers.telegramUserId, botUser.telegramUserId), isNotNull(botUsers.latestToken)))
    .orderBy(desc(botUsers.latestToken))
    .limit(1);
  const token = latest?.token ?? null;
  if (token === null || (trackingToken !== null && token <= trackingToken)) return consent;
  if (consentInToken(token) === "denied") return "denied";
  const session = await findSession(reader, tables, token);
  return session?.consent === "denied" ? "denied" : consent;
}

/**
 * Who came by a visit: as the visit says, in the bot that it led to; else whoever started a bot with its token, where
 * that is one person only (links are passed on).
 */
async function visitorOf(
  reader: Reader,
  tables: Tables,
  token: string | null,
  session: Session | null,
): Promise<BotUser | null> {
  if (token === null) return null;
  const { botUsers } = tables;
  if (session !== null && session.userExternalId !== null) {
    const visitor = { botId: session.botId, telegramUserId: session.userExternalId };
    const [user] = await reader.select().from(botUsers).where(isPersonInBot(tables, visitor));
    if (user) return user;
  }
  const started = await reader.select().from(botUsers).where(eq(botUsers.latestToken, token)).limit(2);
  const [only] = started;
  return started.length === 1 && only ? only : null;
}
