import { isTimeZone } from "../config/kinds.ts";
import { LAST_INSTANT_MS } from "../platform/instant.ts";

/** The time zone that the operator chose, where it is one; else the installation's. */
export function zoneOf(cookie: string | undefined, home: string): string {
  if (!cookie) return home;
  try {
    const name = decodeURIComponent(cookie);
    return isTimeZone(name) ? name : home;
  } catch {
    return home;
  }
}

/** What the clock on the wall shows in that zone, as if it were UTC: Unix milliseconds. */
function wallMs(atMs: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(atMs);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0);
  return Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
}

const WALL = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::\d\d(?:\.\d+)?)?$/;

/**
 * The instant at which the clock in that zone shows `text`, as `<input type="datetime-local">` sends it; Unix
 * milliseconds. Null where the text is no such time.
 */
export function instantOfWall(text: string, zone: string): number | null {
  const [, ...digits] = WALL.exec(text) ?? [];
  if (digits.length < 5) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = digits.map(Number);
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  const isReal = new Date(wanted).toISOString().startsWith(text.slice(0, 16));
  if (!isReal) return null;
  // Twice: the first guess may lie on the other side of a change of the clocks.
  let atMs = wanted;
  for (let i = 0; i < 2; i++) atMs -= wallMs(atMs, zone) - wanted;
  // West of Greenwich the last evening of 9999 is a year later in UTC.
  return Math.min(atMs, LAST_INSTANT_MS);
}

/** The other way: what `<input type="datetime-local">` takes. */
export function wallText(atMs: number, zone: string): string {
  return new Date(wallMs(atMs, zone)).toISOString().slice(0, 16);
}
