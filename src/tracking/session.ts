import type { Tables } from "../db/define-schema.ts";
import { publicClientIp } from "../meta/client-ip.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import { addressOfFbi } from "./meta-cookies.ts";

/** A visit's row in `meta_tracking_sessions`. */
export type Session = Tables["sessions"]["$inferSelect"];
/** A session row that is about to be written: every column decided but its number. */
export type NewSession = Omit<Session, "id">;

/** What of a session its events are made of. */
export type ReportedSession = Pick<
  Session,
  | "trackingToken"
  | "rootEventId"
  | "fbclid"
  | "fbc"
  | "fbp"
  | "fbi"
  | "clientIp"
  | "userAgent"
  | "eventSourceUrl"
  | UtmColumn
  | "pageviewTs"
  | "consent"
>;
type UtmColumn = "utmSource" | "utmCampaign" | "utmMedium" | "utmContent" | "utmTerm";

/** What Meta is told of a session, out of its row (or the row about to be written). */
export function sessionFacts(session: ReportedSession): SessionFacts {
  return {
    trackingToken: session.trackingToken,
    rootEventId: session.rootEventId,
    fbclid: session.fbclid,
    fbc: session.fbc,
    fbp: session.fbp,
    clientIp: reportedIp(session.fbi, session.clientIp),
    userAgent: session.userAgent,
    eventSourceUrl: session.eventSourceUrl,
    utm: utmOf(session),
    pageviewAt: session.pageviewTs,
    consent: session.consent,
  };
}

/**
 * Which address Meta is told, of the param builder's and the request's: a public one, and the IPv6 one where there is a
 * choice, which Meta prefers; between equals the param builder's.
 */
export function reportedIp(fbi: string | null, clientIp: string | null): string | null {
  const known = [publicClientIp(addressOfFbi(fbi)), publicClientIp(clientIp)];
  return known.find((address) => address?.includes(":")) ?? known[0] ?? known[1] ?? null;
}

function utmOf(session: Pick<Session, UtmColumn>) {
  const utm: Record<string, string> = {};
  if (session.utmSource) utm.utm_source = session.utmSource;
  if (session.utmCampaign) utm.utm_campaign = session.utmCampaign;
  if (session.utmMedium) utm.utm_medium = session.utmMedium;
  if (session.utmContent) utm.utm_content = session.utmContent;
  if (session.utmTerm) utm.utm_term = session.utmTerm;
  return utm;
}
