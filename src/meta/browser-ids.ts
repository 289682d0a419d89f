import type { UserData } from "./event.ts";

/** What tells a browser, and a click, apart; sent plain. */
type BrowserIdKey = "fbc" | "fbp";

/**
 * What Meta takes: `fb.<subdomain index>.<creation ms>.<value>`, the value being an fbc's click id in its exact case, an
 * fbp's random number; neither has a dot. Meta's param builder appends `.` and 2 or 8 characters. Anything else makes Meta
 * refuse the whole request, so everything that brings one is judged by these.
 * https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/fbp-and-fbc
 */
export const BROWSER_ID_FORMS: Readonly<Record<BrowserIdKey, RegExp>> = {
  fbc: /^fb\.(\d)\.(\d{13})\.([A-Za-z0-9_-]{1,2000})(?:\.([A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?$/,
  fbp: /^fb\.\d\.\d{13}\.\d{1,40}(?:\.(?:[A-Za-z0-9_-]{2}|[A-Za-z0-9_-]{8}))?$/,
};

/** Whether Meta takes the value under that key. */
export function isBrowserId(key: BrowserIdKey, value: unknown): value is string {
  return typeof value === "string" && BROWSER_ID_FORMS[key].test(value);
}

/** Those of the two that Meta takes. */
export function goodBrowserIds({
  fbc,
  fbp,
}: Readonly<Partial<Record<BrowserIdKey, unknown>>>): Pick<UserData, BrowserIdKey> {
  return { ...(isBrowserId("fbc", fbc) && { fbc }), ...(isBrowserId("fbp", fbp) && { fbp }) };
}
