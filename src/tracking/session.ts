import type { Tables } from "../db/define-schema.ts";
import { publicClientIp } from "../meta/client-ip.ts";
import type { SessionFacts } from "../meta/session-facts.ts";
import { isId } from "../platform/ids.ts";
import { addressOfFbi } from "./meta-cookies.ts";

/** A visit's row in `meta_tracking_sessions`. */
export type Session = Tables["sessions"]["$inferSelect"];
/** A session row that is about to be written: every column decided but its number. */
export type NewSession = Omit<Session, "id">;

/** Whether the text has a tracking token's form: 32 lowercase hex digits. */
export function isTrackingToken(text: string): boolean {
  return isId(text);
}

/** Version and variant of a UUIDv8, after a time that begins with 0 for some hundreds of years yet. */
const REFUSING = /^0[0-9a-f]{11}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/;

/** The same token for a visitor who denied consent: a UUIDv8 where every other visit's is a v7. */
export function refusingToken(trackingToken: string): string {
  return `${trackingToken.slice(0, 12)}8${trackingToken.slice(13)}`;
}

/**
 * What the token itself says of being reported, for where its visit is not in the database: it may lie in another
 * machine's spool still, or retention removed it before its person bought.
 */
export function consentInToken(trackingToken: string | null): "denied" | null {
  return trackingToken !== null && REFUSING.test(trackingToken) ? "denied" : null;
}

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

/** Whether an unknown token is worth keeping: its visit may still come, or its visitor refused to be reported. */
export function isWorthKeeping(token: string, now: Date): boolean {
  return mayBeSpooled(token, now) || consentInToken(token) !== null;
}

/** A visit of an unknown token may wait in another process's spool for this long; older ones never come. */
const SPOOLED_FOR_MS = 7 * 24 * 3_600_000;
/** How far the clocks of two machines of ours may be apart. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Whether an unknown token may be a visit that has not reached the database yet: tokens are UUIDv7 (or v8, see
 * above), whose first 48 bits say when they were made, so that one made up, or long gone, is told from a fresh one.
 */
export function mayBeSpooled(token: string, now: Date): boolean {
  if (!isTrackingToken(token) || !"78".includes(token.charAt(12))) return false;
  const ageMs = now.getTime() - Number.parseInt(token.slice(0, 12), 16);
  return ageMs > -CLOCK_SKEW_MS && ageMs < SPOOLED_FOR_MS;
}
