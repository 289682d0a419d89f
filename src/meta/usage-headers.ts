import { DAY_MS, MINUTE_MS } from "../platform/durations.ts";
import { isRecord, parseJson } from "../platform/json.ts";

const SECOND_MS = 1000;

/** No header can hold a pixel longer than this: past it, asking again is cheaper than trusting a wild number. */
const LONGEST_PAUSE_MS = DAY_MS;

/** The pause where a quota is used up and Meta does not say for how long; its windows roll within the hour. */
const USED_UP_PAUSE_MS = MINUTE_MS;

const PERCENT_KEYS: readonly string[] = ["call_count", "total_cputime", "total_time", "acc_id_util_pct"];

type Headers = Readonly<Record<string, string>>;

/**
 * `Retry-After` in milliseconds, or null where absent or not to be understood. Takes seconds or an HTTP date, which is
 * read against the answer's own `Date` header so that the two machines' clocks need not agree.
 */
export function retryAfterMs(headers: Headers): number | null {
  const value = headers["retry-after"]?.trim();
  if (!value) return null;
  if (/^\d+(\.\d+)?$/.test(value)) return pause(Number(value) * SECOND_MS);
  const until = Date.parse(value);
  const from = Date.parse(headers.date ?? "");
  return Number.isNaN(until) || Number.isNaN(from) ? null : pause(until - from);
}

/**
 * How long Meta's usage headers ask to wait, in milliseconds, or null: the longest `estimated_time_to_regain_access`
 * (minutes; `reset_time_duration`, seconds, of the ad account's header), or {@link USED_UP_PAUSE_MS} where some quota
 * stands at 100 % without one. Unreadable headers say nothing.
 */
export function usageDelayMs(headers: Headers): number | null {
  const quotas = [
    ...quotasOf(headers["x-app-usage"]),
    ...quotasOf(headers["x-ad-account-usage"]),
    ...quotasOf(headers["x-business-use-case-usage"]),
  ];
  const delays = quotas.map(quotaDelayMs).filter((delayMs) => delayMs !== null);
  return delays.length === 0 ? null : Math.max(...delays);
}

/** X-App-Usage is one quota; X-Business-Use-Case-Usage maps a business to a list of them. */
function quotasOf(header: string | undefined): readonly Readonly<Record<string, unknown>>[] {
  const json = header === undefined ? undefined : parseJson(header);
  if (!isRecord(json)) return [];
  return [json, ...Object.values(json).flat()].filter(isRecord);
}

function quotaDelayMs(quota: Readonly<Record<string, unknown>>): number | null {
  const minutes = positive(quota.estimated_time_to_regain_access);
  if (minutes !== null) return pause(minutes * MINUTE_MS);
  if (!PERCENT_KEYS.some((key) => (positive(quota[key]) ?? 0) >= 100)) return null;
  const seconds = positive(quota.reset_time_duration);
  return seconds === null ? USED_UP_PAUSE_MS : pause(seconds * SECOND_MS);
}

function positive(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;
}

function pause(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), LONGEST_PAUSE_MS);
}
