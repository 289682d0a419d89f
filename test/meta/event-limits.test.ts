import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isExpired, validateEvent } from "../../src/meta/event-limits.ts";
import { purchaseEvent } from "../../src/meta/purchase.ts";
import { payment, sellingBot, session } from "./builders.ts";

const NOW = new Date("2026-05-10T12:06:31Z");
const NOW_SECONDS = Math.floor(NOW.getTime() / 1000);
const WEEK_SECONDS = 7 * 86_400;
const GOOD = purchaseEvent(payment(), session(), sellingBot(), NOW);

describe("the check before sending", () => {
  test("lets a good event pass, also as it comes back from a JSON column", () => {
    expect(validateEvent(GOOD, NOW)).toEqual({ kind: "ok" });
    expect(validateEvent(JSON.parse(JSON.stringify(GOOD)), NOW)).toEqual({ kind: "ok" });
  });

  test("lets lists of digests and both processing options pass", () => {
    const user_data = { ...GOOD.user_data, em: ["a".repeat(64), "b".repeat(64)] };
    expect(validateEvent({ ...GOOD, user_data, data_processing_options: [] }, NOW)).toEqual({ kind: "ok" });
    expect(validateEvent({ ...GOOD, data_processing_options: ["LDU"] }, NOW)).toEqual({ kind: "ok" });
  });

  test("lets a PageView without custom_data pass, a Purchase not", () => {
    const { custom_data: _, ...bare } = GOOD;
    expect(validateEvent({ ...bare, event_name: "PageView" }, NOW)).toEqual({ kind: "ok" });
    expect(validateEvent(bare, NOW)).toMatchObject({ kind: "invalid" });
  });

  test("wants value and currency of any event together; of one that sells nothing yet, or at no price, it takes it so", () => {
    const of = (custom_data: object) =>
      validateEvent({ ...GOOD, event_name: "InitiateCheckout", custom_data }, NOW);
    expect(of({ content_name: "Course" })).toEqual({ kind: "ok" });
    expect(of({ value: 0, currency: "BRL" })).toEqual({ kind: "ok" });
    expect(of({ value: 97 })).toMatchObject({ reason: expect.stringMatching(/currency/) });
    expect(of({ currency: "BRL" })).toMatchObject({ reason: expect.stringMatching(/value/) });
  });

  const digest = "a".repeat(64);
  test.each<[string, Record<string, unknown>, RegExp]>([
    ["no name", { event_name: "" }, /event_name/],
    ["no id", { event_id: undefined }, /event_id/],
    ["no time", { event_time: undefined }, /event_time/],
    ["a time in milliseconds", { event_time: NOW.getTime() }, /event_time/],
    ["the time 0", { event_time: 0 }, /event_time/],
    ["a time as text", { event_time: String(NOW_SECONDS) }, /event_time/],
    ["a fraction of a second", { event_time: NOW_SECONDS - 0.5 }, /event_time/],
    ["another action source", { action_source: "chat" }, /action_source/],
    ["no source address", { event_source_url: undefined }, /event_source_url/],
    ["a source that is no web address", { event_source_url: "tg://resolve" }, /event_source_url/],
    ["a source that is no address", { event_source_url: "https://" }, /event_source_url/],
    ["no user data", { user_data: undefined }, /user_data/],
    ["no user agent", { user_data: { external_id: digest } }, /client_user_agent/],
    ["a user agent alone", { user_data: { client_user_agent: "Mozilla" } }, /match/],
    ["half a name", { user_data: { client_user_agent: "Mozilla", fn: digest } }, /match/],
    [
      "a plain e-mail address",
      { user_data: { ...GOOD.user_data, em: "maria@example.com" } },
      /user_data\.em/,
    ],
    ["an upper-case digest", { user_data: { ...GOOD.user_data, em: "A".repeat(64) } }, /user_data\.em/],
    ["an MD5", { user_data: { ...GOOD.user_data, external_id: "a".repeat(32) } }, /external_id/],
    ["an empty list", { user_data: { ...GOOD.user_data, ph: [] } }, /user_data\.ph/],
    ["a null key", { user_data: { ...GOOD.user_data, ph: null } }, /user_data\.ph/],
    ["an empty key", { user_data: { ...GOOD.user_data, fbp: "" } }, /user_data\.fbp/],
    [
      "a blank user agent",
      { user_data: { ...GOOD.user_data, client_user_agent: " " } },
      /user_agent is empty/,
    ],
    ["a malformed fbp", { user_data: { ...GOOD.user_data, fbp: "fb.1.x" } }, /user_data\.fbp/],
    ["a malformed fbc", { user_data: { ...GOOD.user_data, fbc: "IwAR3x" } }, /user_data\.fbc/],
    ["a private address", { user_data: { ...GOOD.user_data, client_ip_address: "10.0.0.1" } }, /client_ip/],
    ["no value", { custom_data: { currency: "BRL" } }, /value/],
    ["a value as text", { custom_data: { value: "97", currency: "BRL" } }, /value/],
    ["a value without end", { custom_data: JSON.parse('{"value":1e999,"currency":"BRL"}') }, /value/],
    ["a negative value", { custom_data: { value: -1, currency: "BRL" } }, /value/],
    ["no currency", { custom_data: { value: 97 } }, /currency/],
    ["Stars as a currency", { custom_data: { value: 97, currency: "XTR" } }, /currency/],
    ["custom data that is a list", { custom_data: [] }, /custom_data/],
    ["an unknown processing option", { data_processing_options: ["GDPR"] }, /data_processing_options/],
  ])("names what is wrong with %s", (_, over, reason) => {
    expect(validateEvent({ ...GOOD, ...over }, NOW)).toEqual({
      kind: "invalid",
      reason: expect.stringMatching(reason),
    });
  });

  test("does not repeat personal data in its reason", () => {
    const user_data = { ...GOOD.user_data, em: "maria@example.com" };
    expect(JSON.stringify(validateEvent({ ...GOOD, user_data }, NOW))).not.toContain("maria");
  });

  test("calls an event expired at seven days, a minute early for the way to Meta", () => {
    const at = (ageSeconds: number) => ({ ...GOOD, event_time: NOW_SECONDS - ageSeconds });
    expect(validateEvent(at(WEEK_SECONDS - 61), NOW)).toEqual({ kind: "ok" });
    expect(validateEvent(at(WEEK_SECONDS - 59), NOW)).toEqual({ kind: "expired" });
    expect(validateEvent(at(WEEK_SECONDS + 1), NOW)).toEqual({ kind: "expired" });
    expect(isExpired(NOW_SECONDS - WEEK_SECONDS, NOW)).toBe(true);
    expect(isExpired(NOW_SECONDS, NOW)).toBe(false);
  });

  test("bears clocks that differ, however much", () => {
    expect(validateEvent({ ...GOOD, event_time: NOW_SECONDS + 3_600 }, NOW)).toEqual({ kind: "ok" });
  });

  test("answers anything at all, and never throws", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (event, user_data, custom_data) => {
        expect(validateEvent(event, NOW).kind).not.toBe("ok");
        expect(["ok", "invalid", "expired"]).toContain(
          validateEvent({ ...GOOD, user_data, custom_data }, NOW).kind,
        );
      }),
      { numRuns: 1000 },
    );
  });
});
