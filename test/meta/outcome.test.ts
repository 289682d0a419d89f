import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Outcome, outcomeOf } from "../../src/meta/outcome.ts";
import { answered } from "./builders.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A Graph error body, with what Meta fills in always. */
function graphError(code: number, message: string, more: Fields = {}) {
  return { error: { message, type: "OAuthException", code, fbtrace_id: "AQ_trace9", ...more } };
}

const invalid = (subcode: number, title: string, words: string) =>
  graphError(100, "Invalid parameter", {
    error_subcode: subcode,
    is_transient: false,
    error_user_title: title,
    error_user_msg: words,
  });

describe("an answer's class", () => {
  test.each<[string, number, unknown, Outcome["kind"]]>([
    ["an unknown error", 500, graphError(1, "An unknown error occurred"), "transient"],
    ["an unknown error in a 400", 400, graphError(1, "Please reduce the amount of data"), "transient"],
    [
      "a service that is down",
      503,
      graphError(2, "Service temporarily unavailable", { is_transient: true }),
      "transient",
    ],
    ["a service that is down, in a 400", 400, graphError(2, "Service temporarily unavailable"), "transient"],
    ["a temporary block", 400, graphError(368, "The action attempted has been deemed abusive"), "transient"],
    ["code 5000", 400, graphError(5000, "Unknown Error Code"), "transient"],
    [
      "a code that says it heals",
      400,
      graphError(100, "Invalid parameter", { is_transient: true }),
      "transient",
    ],
    [
      "a token error that says it heals",
      400,
      graphError(190, "Try again", { is_transient: true }),
      "transient",
    ],
    ["an unknown code in a 500", 500, graphError(987654, "?"), "transient"],
    ["a parameter error in a 500", 500, graphError(100, "Invalid parameter"), "transient"],
    ["a 408", 408, graphError(987654, "Request timed out"), "transient"],
    [
      "a flag of another kind than Meta's",
      400,
      graphError(190, "Bad token", { is_transient: "no" }),
      "credential",
    ],
    ["a code that says nothing", 400, { error: { code: "", error_subcode: 33 } }, "invalid"],
    ["too many parameters, in a 401", 401, graphError(105, "Too many parameters"), "invalid"],
    ["an error beside a count", 400, { ...graphError(190, "Bad token"), events_received: 3 }, "credential"],
    ["an unknown code in a 200", 200, graphError(987654, "?"), "transient"],
    ["a redirect", 302, "", "transient"],

    ["the app's limit", 403, graphError(4, "(#4) Application request limit reached"), "throttled"],
    ["the app's limit that says it heals", 400, graphError(4, "limit", { is_transient: true }), "throttled"],
    ["the user's limit", 400, graphError(17, "(#17) User request limit reached"), "throttled"],
    ["the page's limit", 400, graphError(32, "(#32) Page request limit reached"), "throttled"],
    ["the application limit", 400, graphError(341, "Application limit reached"), "throttled"],
    [
      "the custom limit",
      400,
      graphError(613, "(#613) Calls to this api have exceeded the rate limit."),
      "throttled",
    ],
    [
      "the first business limit",
      400,
      graphError(80000, "(#80000) There have been too many calls"),
      "throttled",
    ],
    ["the ads limit", 400, graphError(80004, "(#80004) There have been too many calls"), "throttled"],
    [
      "the last business limit",
      400,
      graphError(80014, "(#80014) There have been too many calls"),
      "throttled",
    ],
    ["a limit in a 500", 500, graphError(80004, "too many calls"), "throttled"],
    ["a 429 of any code", 429, graphError(987654, "?"), "throttled"],
    ["a 429 without a body", 429, "", "throttled"],
    ["a 429 of a proxy", 429, "<html>Too Many Requests</html>", "throttled"],

    [
      "a bad token",
      400,
      graphError(190, "Invalid OAuth access token - Cannot parse access token"),
      "credential",
    ],
    [
      "an expired token",
      401,
      graphError(190, "Error validating access token", { error_subcode: 463 }),
      "credential",
    ],
    [
      "a changed password",
      400,
      graphError(190, "The session has been invalidated", { error_subcode: 460 }),
      "credential",
    ],
    ["an ended session", 400, graphError(102, "Session key invalid"), "credential"],
    ["a missing permission", 403, graphError(10, "(#10) Application does not have permission"), "credential"],
    ["permission error 200", 403, graphError(200, "(#200) Permissions error"), "credential"],
    [
      "permission error 294",
      403,
      graphError(294, "Managing advertisements requires ads_management"),
      "credential",
    ],
    ["permission error 299", 403, graphError(299, "Permissions error"), "credential"],
    [
      "an unknown object",
      404,
      graphError(803, "(#803) Some of the aliases you requested do not exist"),
      "credential",
    ],
    [
      "a pixel that is not ours",
      400,
      graphError(100, "Unsupported post request. Object with ID '1' does not exist", { error_subcode: 33 }),
      "credential",
    ],
    [
      "a missing capability",
      400,
      graphError(3, "(#3) Application does not have the capability"),
      "credential",
    ],
    [
      "an address that Graph does not know",
      400,
      graphError(2500, "Unknown path components: /events"),
      "credential",
    ],
    [
      "a version that Meta has ended",
      400,
      graphError(2635, "(#2635) You are calling a deprecated version of the Ads API."),
      "credential",
    ],
    ["an unknown code in a 401", 401, graphError(987654, "Unauthorized"), "credential"],

    ["a parameter error", 400, graphError(100, "Invalid parameter"), "invalid"],
    ["2804001", 400, invalid(2804001, "Missing Event Name", "Your event needs a name."), "invalid"],
    ["2804007", 400, invalid(2804007, "Invalid currency", "Check the currency."), "invalid"],
    ["2804016", 400, invalid(2804016, "Invalid value", "Check the value."), "invalid"],
    ["2804017", 400, invalid(2804017, "Invalid content", "Check the contents."), "invalid"],
    ["2804019", 400, invalid(2804019, "Invalid URL", "Check event_source_url."), "invalid"],
    ["2804048", 400, invalid(2804048, "Invalid action source", "Check action_source."), "invalid"],
    ["2804050", 400, invalid(2804050, "Insufficient data", "Add customer information."), "invalid"],
    ["too many parameters", 400, graphError(105, "The number of parameters exceeded the maximum"), "invalid"],
    ["a permission-like code past the range", 400, graphError(300, "?"), "invalid"],
    ["a business limit past the range", 400, graphError(80015, "?"), "invalid"],
    ["an unknown code in a 400", 400, graphError(987654, "?"), "invalid"],
    ["an unknown code in a 404", 404, graphError(987654, "?"), "invalid"],
    ["an error without a code", 400, { error: { message: "Bad Request" } }, "invalid"],
    ["a parameter error in a 200", 200, graphError(100, "Invalid parameter"), "invalid"],
    ["a 413 of a proxy", 413, "<html>Request Entity Too Large</html>", "invalid"],

    ["a page of a proxy in a 200", 200, "<html>Sign in to the Wi-Fi</html>", "transient"],
    ["a page of a proxy in a 403", 403, "<html>Forbidden</html>", "transient"],
    ["a page of a proxy in a 404", 404, "<html>Not Found</html>", "transient"],
    ["a page of a proxy in a 502", 502, "<html>Bad Gateway</html>", "transient"],
    ["an empty 200", 200, "", "transient"],
    ["a cut 200", 200, '{"events_received": 10, "mess', "transient"],
    ["a 200 that received nothing said", 200, {}, "transient"],
    ["a 200 with null", 200, "null", "transient"],
    ["a 200 with a list", 200, [{ events_received: 1 }], "transient"],
    ["a 200 with a count as text", 200, { events_received: "3" }, "transient"],
    ["a 200 with a negative count", 200, { events_received: -1 }, "transient"],
    ["a success body in a 500", 500, { events_received: 3 }, "transient"],
    ["a success", 200, { events_received: 3, messages: [], fbtrace_id: "AQ_trace9" }, "delivered"],
  ])("%s is told apart (HTTP %d)", (_, status, body, kind) => {
    expect(outcomeOf(answered(status, body), 3).kind).toBe(kind);
  });

  test("without an answer is transient, with the connection's own words", () => {
    const answer = { kind: "unanswered", error: "ConnectionRefused: no server", durationMs: 3 } as const;
    expect(outcomeOf(answer, 3)).toEqual({
      kind: "transient",
      reason: "ConnectionRefused: no server",
      afterMs: null,
      fbtraceId: null,
    });
  });

  test("is found for any status and body without throwing", () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.anything().map((error) => JSON.stringify({ error }) ?? ""),
    );
    const status = fc.integer({ min: 100, max: 599 });
    const headers = fc.dictionary(
      fc.constantFrom("retry-after", "date", "x-app-usage", "x-business-use-case-usage", "x-fb-trace-id"),
      fc.oneof(fc.string(), fc.json()),
    );
    fc.assert(
      fc.property(status, body, headers, (code, text, kept) => {
        const outcome = outcomeOf(answered(code, text, kept), 10);
        expect(["delivered", "partial", "transient", "throttled", "credential", "invalid"]).toContain(
          outcome.kind,
        );
        if (outcome.kind === "delivered") expect(code).toBeLessThan(300);
        if ("afterMs" in outcome && outcome.afterMs !== null) {
          expect(outcome.afterMs).toBeWithin(0, 86_400_001);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a delivery", () => {
  test("keeps Meta's messages", () => {
    const answer = answered(200, {
      events_received: 3,
      messages: ["one was odd", { code: 7 }],
      fbtrace_id: "T",
    });
    expect(outcomeOf(answer, 3)).toEqual({
      kind: "delivered",
      messages: ["one was odd", '{"code":7}'],
      usageDelayMs: null,
      fbtraceId: "T",
    });
  });

  test("of some events only is partial, and of none at all is none", () => {
    const messages = ["one was odd"];
    expect(outcomeOf(answered(200, { events_received: 2, messages }), 3)).toMatchObject({
      kind: "partial",
      reason: "Meta received 2 of 3 events; one was odd",
    });
    expect(outcomeOf(answered(200, { events_received: 0, messages }), 3)).toMatchObject({
      kind: "transient",
      reason: "Meta received 0 of 3 events; one was odd",
    });
  });

  test("that used up the quota says how long to wait", () => {
    const headers = {
      "x-app-usage": '{"call_count":100,"total_cputime":12,"total_time":9}',
      "x-fb-trace-id": "H",
    };
    const outcome = outcomeOf(answered(200, { events_received: 3 }, headers), 3);
    expect(outcome).toMatchObject({ kind: "delivered", usageDelayMs: 60_000, fbtraceId: "H" });
  });
});

describe("a refusal", () => {
  test("keeps Meta's own words, code, subcode and trace", () => {
    const body = invalid(2804007, "Invalid currency", "Event 17 has an unknown currency.");
    expect(outcomeOf(answered(400, body), 3)).toEqual({
      kind: "invalid",
      reason:
        "Invalid currency: Event 17 has an unknown currency.: Invalid parameter (HTTP 400, code 100/2804007)",
      code: 100,
      subcode: 2804007,
      expired: false,
      fbtraceId: "AQ_trace9",
    });
  });

  test("for age alone is called expired", () => {
    const body = invalid(2804003, "Event Timestamp Too Old", "The timestamp is too far in the past.");
    expect(outcomeOf(answered(400, body), 1)).toMatchObject({ kind: "invalid", expired: true });
    expect(outcomeOf(answered(413, "<html>"), 1)).toMatchObject({ kind: "invalid", expired: false });
  });

  test("has the header's trace where the body has none, and says nothing twice", () => {
    const body = { error: { code: "", error_user_msg: "Bad event", message: "Bad event" } };
    expect(outcomeOf(answered(400, body, { "x-fb-trace-id": "H" }), 1)).toMatchObject({
      reason: "Bad event (HTTP 400, code none)",
      code: null,
      fbtraceId: "H",
    });
  });

  test("reads codes that come as text", () => {
    const body = { error: { message: "Invalid OAuth access token", code: "190", error_subcode: "463" } };
    expect(outcomeOf(answered(400, body), 1)).toMatchObject({ kind: "credential", code: 190 });
  });

  test("that is no Graph answer shows how it begins", () => {
    expect(outcomeOf(answered(502, "<html>\n  Bad   Gateway</html>"), 1)).toMatchObject({
      reason: "HTTP 502 with a body that is not Meta's: <html> Bad Gateway</html>",
    });
    expect(outcomeOf(answered(502, "x".repeat(9_000)), 1)).toMatchObject({
      reason: `HTTP 502 with a body that is not Meta's: ${"x".repeat(200)}`,
    });
  });

  test("waits as long as Retry-After says, also where it is transient", () => {
    expect(outcomeOf(answered(503, "", { "retry-after": "120" }), 1)).toMatchObject({ afterMs: 120_000 });
    expect(outcomeOf(answered(503, graphError(2, "down"), { "retry-after": "7" }), 1)).toMatchObject({
      afterMs: 7000,
    });
  });

  test("for throttling waits the longest that any header says, or does not know", () => {
    const usage = '{"17":[{"type":"ads_management","call_count":101,"estimated_time_to_regain_access":19}]}';
    const throttled = (headers: Readonly<Record<string, string>>) =>
      outcomeOf(answered(400, graphError(80004, "too many calls"), headers), 1);
    expect(throttled({ "x-business-use-case-usage": usage, "retry-after": "60" })).toMatchObject({
      afterMs: 1_140_000,
    });
    expect(throttled({ "x-business-use-case-usage": usage, "retry-after": "3600" })).toMatchObject({
      afterMs: 3_600_000,
    });
    expect(throttled({})).toMatchObject({ kind: "throttled", afterMs: null });
  });
});
