import { describe, expect, test } from "bun:test";
import { retryAfterMs, usageDelayMs } from "../../src/meta/usage-headers.ts";

const DAY_MS = 86_400_000;

describe("Retry-After", () => {
  test.each<[string, number | null]>([
    ["0", 0],
    ["30", 30_000],
    [" 1.5 ", 1500],
    ["999999999", DAY_MS],
    ["-5", null],
    ["soon", null],
    ["", null],
  ])("%p", (value, ms) => {
    expect(retryAfterMs({ "retry-after": value })).toBe(ms);
  });

  test("as a date counts from the answer's own date", () => {
    const until = "Sun, 10 May 2026 12:02:00 GMT";
    expect(retryAfterMs({ "retry-after": until, date: "Sun, 10 May 2026 12:00:30 GMT" })).toBe(90_000);
    expect(retryAfterMs({ "retry-after": until, date: "Sun, 10 May 2026 12:03:00 GMT" })).toBe(0);
    expect(retryAfterMs({ "retry-after": until })).toBeNull();
  });

  test("absent is null", () => {
    expect(retryAfterMs({})).toBeNull();
  });
});

describe("usage headers", () => {
  test.each<[string, string, string, number | null]>([
    ["a quota in use", "x-app-usage", '{"call_count":28,"total_time":25,"total_cputime":25}', null],
    ["a full quota", "x-app-usage", '{"call_count":28,"total_time":100,"total_cputime":25}', 60_000],
    ["a full quota of processor time", "x-app-usage", '{"call_count":28,"total_cputime":100}', 60_000],
    ["an overdrawn quota", "x-app-usage", '{"call_count":140}', 60_000],
    [
      "a business with access",
      "x-business-use-case-usage",
      '{"17":[{"type":"ads_management","call_count":95,"total_cputime":20,"total_time":20,"estimated_time_to_regain_access":0}]}',
      null,
    ],
    [
      "the longest of several businesses",
      "x-business-use-case-usage",
      '{"17":[{"estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":19}],"18":[{"call_count":100}]}',
      19 * 60_000,
    ],
    [
      "a wild number",
      "x-business-use-case-usage",
      '{"17":[{"estimated_time_to_regain_access":1e12}]}',
      DAY_MS,
    ],
    ["an ad account", "x-ad-account-usage", '{"acc_id_util_pct":100,"reset_time_duration":300}', 300_000],
    [
      "an ad account in use",
      "x-ad-account-usage",
      '{"acc_id_util_pct":9.67,"reset_time_duration":300}',
      null,
    ],
    ["cut JSON", "x-app-usage", '{"call_count":1', null],
    ["no object", "x-app-usage", "100", null],
    [
      "odd members",
      "x-business-use-case-usage",
      '{"17":null,"18":[null,7,"x"],"19":{"call_count":"100"}}',
      null,
    ],
  ])("%s", (_, name, value, ms) => {
    expect(usageDelayMs({ [name]: value })).toBe(ms);
  });

  test("absent say nothing", () => {
    expect(usageDelayMs({})).toBeNull();
  });
});
