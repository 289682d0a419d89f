import { DAY_MS } from "../platform/durations.ts";

/**
 * Meta refuses what is older when it arrives.
 * https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api
 */
export const MAX_EVENT_AGE_MS = 7 * DAY_MS;

/** A time this old is not put into a new event: a day is left for the outbox, which may have to wait for a pixel. */
const MAX_NEW_EVENT_AGE_MS = MAX_EVENT_AGE_MS - DAY_MS;

/**
 * `event_time` of a new event, in Unix seconds: when it happened; the later time where that is older than Meta takes;
 * never after `now` (two machines' clocks differ, and Meta refuses the future).
 */
export function eventTimeSeconds(happenedAt: Date, ifTooOld: Date, now: Date): number {
  const tooOld = now.getTime() - happenedAt.getTime() > MAX_NEW_EVENT_AGE_MS;
  const at = tooOld ? ifTooOld : happenedAt;
  return Math.floor(Math.min(at.getTime(), now.getTime()) / 1000);
}

/** The event, at `now` where its own time lies in the future, which Meta refuses: a machine's clock was ahead. */
export function notInFuture(event: object, now: Date): object {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  const isAhead =
    "event_time" in event && typeof event.event_time === "number" && event.event_time > nowSeconds;
  return isAhead ? { ...event, event_time: nowSeconds } : event;
}
