import type { Consent } from "../platform/consent.ts";
import type { UtmKey } from "./event.ts";

/** What an event needs to know of a visit's session; plain data, whichever store it was read from. */
export interface SessionFacts {
  readonly trackingToken: string;
  readonly rootEventId: string;
  /** Exactly as Meta wrote it: case-sensitive, never cut. */
  readonly fbclid: string | null;
  readonly fbc: string | null;
  readonly fbp: string | null;
  readonly clientIp: string | null;
  readonly userAgent: string | null;
  readonly eventSourceUrl: string | null;
  /** Keyed `utm_source`, `utm_campaign`, … */
  readonly utm: Readonly<Record<string, string>>;
  readonly pageviewAt: Date;
  readonly consent: Consent | null;
}

/**
 * Meta requires `client_user_agent` of website events. Where the browser's is not known (a payment without a session, a
 * client that sends none) this says so honestly instead of losing the conversion.
 */
export const UNKNOWN_USER_AGENT = "Ponte/1.0 (+server; no browser session)";

/** The session's user agent, or {@link UNKNOWN_USER_AGENT}. */
export function userAgentOf(session: SessionFacts | null): string {
  return session?.userAgent?.trim() || UNKNOWN_USER_AGENT;
}

function isUtmKey(key: string): key is UtmKey {
  return key.startsWith("utm_");
}

/** The campaign parameters that have a value, under their own names; no other key passes (none may stand for `value`). */
export function utmData(utm: Readonly<Record<string, string>>): Readonly<Record<UtmKey, string>> {
  const present: Record<UtmKey, string> = {};
  for (const key of Object.keys(utm)) {
    const value = utm[key];
    if (value && isUtmKey(key)) present[key] = value;
  }
  return present;
}
