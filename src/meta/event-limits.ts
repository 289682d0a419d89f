import { isCurrency } from "../money/currencies.ts";
import { isRecord } from "../platform/json.ts";
import { MAX_EVENT_AGE_MS } from "./event-time.ts";
import { userDataFault } from "./user-data-faults.ts";

/**
 * Meta takes at most this many events in one request.
 * https://developers.facebook.com/docs/marketing-api/conversions-api/using-the-api
 */
export const MAX_EVENTS_PER_REQUEST = 1000;

/** Spent between this check and Meta's clock: an event this close to seven days old would arrive too old. */
const DELIVERY_MARGIN_MS = 60_000;

/** Unix seconds reach this in the year 5138; a larger `event_time` is milliseconds by mistake. */
const LARGEST_SECONDS = 99_999_999_999;

/** Whether Meta would take an event: yes, no and why, or no longer (seven days have passed). */
type EventCheck =
  | { readonly kind: "ok" }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "expired" };

/** Whether an event of this time, in Unix seconds, would arrive older than Meta takes. */
export function isExpired(eventTimeSeconds: number, now: Date): boolean {
  return now.getTime() - eventTimeSeconds * 1000 > MAX_EVENT_AGE_MS - DELIVERY_MARGIN_MS;
}

/**
 * The check before sending. One event that breaks a rule makes Meta refuse the whole request, so each is looked at alone
 * first. Takes anything (a payload read back from the database) and never throws; `reason` names the first broken rule. A
 * time in the future is none: machines' clocks differ, and whoever sends the event puts it right.
 */
export function validateEvent(event: unknown, now: Date): EventCheck {
  if (!isRecord(event)) return invalid("the event is not an object");
  const timeFault = eventTimeFault(event.event_time, now);
  if (timeFault !== null) return timeFault;
  const reason = nameFault(event) ?? userDataFault(event) ?? customDataFault(event) ?? processingFault(event);
  return reason === null ? { kind: "ok" } : invalid(reason);
}

function invalid(reason: string): EventCheck {
  return { kind: "invalid", reason };
}

function eventTimeFault(time: unknown, now: Date): EventCheck | null {
  if (typeof time !== "number" || !Number.isInteger(time) || time <= 0 || time > LARGEST_SECONDS) {
    return invalid("event_time is not a whole number of Unix seconds");
  }
  return isExpired(time, now) ? { kind: "expired" } : null;
}

function nameFault(event: Readonly<Record<string, unknown>>): string | null {
  if (!isText(event.event_name)) return "event_name is missing";
  if (!isText(event.event_id)) return "event_id is missing: Meta could not deduplicate the event";
  if (event.action_source !== "website") return 'action_source is not "website"';
  const url = event.event_source_url;
  if (!isText(url)) return "event_source_url is missing; website events need it";
  return isWebUrl(url) ? null : "event_source_url is not an http(s) address";
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isWebUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function customDataFault(event: Readonly<Record<string, unknown>>): string | null {
  const data = event.custom_data;
  const isPurchase = event.event_name === "Purchase";
  if (data === undefined) return isPurchase ? "a Purchase needs custom_data with value and currency" : null;
  if (!isRecord(data)) return "custom_data is not an object";
  const { value, currency } = data;
  if (value === undefined && currency === undefined) {
    return isPurchase ? "a Purchase needs a value and a currency that Meta knows" : null;
  }
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    return "custom_data.value is not a number from 0";
  }
  if (typeof currency !== "string" || !isCurrency(currency)) {
    return "custom_data.currency is not an ISO 4217 code";
  }
  return null;
}

function processingFault(event: Readonly<Record<string, unknown>>): string | null {
  const options = event.data_processing_options;
  if (options === undefined) return null;
  const known = Array.isArray(options) && options.every((option) => option === "LDU");
  return known ? null : 'data_processing_options is neither [] nor ["LDU"]';
}
