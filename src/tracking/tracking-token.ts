import { DAY_MS, MINUTE_MS } from "../platform/durations.ts";
import { firstIdAt, isId } from "../platform/ids.ts";

/*
 * A tracking token is the public key of a visit: a UUIDv7 as 32 lowercase hex digits, or a v8 where the visitor denied
 * consent. Its first 48 bits are its time in Unix milliseconds.
 */

/** Whether the text has a tracking token's form. */
export function isTrackingToken(text: string): boolean {
  return isId(text);
}

/** Version and variant of a UUIDv8, after a time that begins with 0 for some hundreds of years yet. */
const REFUSING = /^0[0-9a-f]{11}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/;

/** The same token for a visitor who denied consent. */
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

/** Whether an unknown token is worth keeping: its visit may still come, or its visitor refused to be reported. */
export function isWorthKeeping(token: string, now: Date): boolean {
  return mayBeSpooled(token, now) || consentInToken(token) !== null;
}

/** A visit of an unknown token may wait in another process's spool for this long; older ones never come. */
const SPOOLED_FOR_MS = 7 * DAY_MS;
/** How far the clocks of two machines of ours may be apart. */
const CLOCK_SKEW_MS = 5 * MINUTE_MS;

/** The first token that no visit has by now: those from there on were made by a clock that was ahead. */
export function firstFutureToken(now: Date): string {
  return firstIdAt(now.getTime() + CLOCK_SKEW_MS);
}

/** Whether an unknown token may be a visit that has not reached the database yet, and not one made up, or long gone. */
export function mayBeSpooled(token: string, now: Date): boolean {
  if (!isTrackingToken(token) || !"78".includes(token.charAt(12))) return false;
  const ageMs = now.getTime() - Number.parseInt(token.slice(0, 12), 16);
  return ageMs > -CLOCK_SKEW_MS && ageMs < SPOOLED_FOR_MS;
}
