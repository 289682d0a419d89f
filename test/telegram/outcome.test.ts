import { expect, test } from "bun:test";
import fc from "fast-check";
import { outcomeOfCall } from "../../src/telegram/outcome.ts";

function answered(status: number, body: unknown, retryAfterHeader: string | null = null) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return outcomeOfCall({ kind: "answered", status, body: text, retryAfterHeader, durationMs: 1 });
}
const refusal = (error_code: number, description: string, parameters?: object) => ({
  ok: false,
  error_code,
  description,
  ...(parameters && { parameters }),
});

// Descriptions as the Bot API server words them.
test.each([
  [200, { ok: true, result: { message_id: 1 } }, { kind: "delivered" }],
  [200, "<html>hotel Wi-Fi</html>", { kind: "transient", code: 200 }],
  [200, { ok: false }, { kind: "transient" }],
  [302, "", { kind: "transient", code: 302 }],
  [307, { ok: true }, { kind: "transient", code: 307 }],
  [
    429,
    refusal(429, "Too Many Requests: retry after 7", { retry_after: 7 }),
    { kind: "throttled", afterMs: 7_000 },
  ],
  [429, "too many", { kind: "throttled", afterMs: null }],
  [429, refusal(429, "Too Many Requests", { retry_after: 1e12 }), { kind: "throttled", afterMs: 86_400_000 }],
  [429, refusal(429, "Too Many Requests", { retry_after: "soon" }), { kind: "throttled", afterMs: null }],
  [
    403,
    refusal(403, "Forbidden: bot was blocked by the user"),
    { kind: "unreachable", reason: "Forbidden: bot was blocked by the user" },
  ],
  [403, refusal(403, "Forbidden: user is deactivated"), { kind: "unreachable" }],
  [403, refusal(403, "Forbidden: bot can't initiate conversation with a user"), { kind: "unreachable" }],
  [403, "<html>a proxy's page</html>", { kind: "transient" }],
  [401, refusal(401, "Unauthorized"), { kind: "credential", of: "token", reason: "Unauthorized" }],
  [404, refusal(404, "Not Found"), { kind: "credential", of: "token" }],
  [400, refusal(400, "Bad Request: PAYMENT_PROVIDER_INVALID"), { kind: "credential", of: "payment token" }],
  [404, "nginx", { kind: "transient" }],
  [400, refusal(400, "Bad Request: chat not found"), { kind: "unreachable" }],
  [400, refusal(400, "Bad Request: PEER_ID_INVALID"), { kind: "unreachable" }],
  [
    400,
    refusal(400, "Bad Request: BUTTON_DATA_INVALID"),
    { kind: "refused", reason: "Bad Request: BUTTON_DATA_INVALID" },
  ],
  [409, refusal(409, "Conflict"), { kind: "transient" }],
  [413, refusal(413, "Request Entity Too Large"), { kind: "refused" }],
  [500, refusal(500, "Internal Server Error"), { kind: "transient" }],
  [502, "Bad Gateway", { kind: "transient", reason: "HTTP 502 without Telegram's words" }],
] as const)("HTTP %d with %j is %j", (status, body, expected) => {
  expect(answered(status, body)).toMatchObject(expected);
});

test("a Retry-After header counts where the body does not say how long", () => {
  expect(answered(429, "slow down", "12")).toMatchObject({ kind: "throttled", afterMs: 12_000 });
  expect(answered(429, "slow down", "12 May 2026")).toMatchObject({ kind: "throttled", afterMs: null });
});

test("no answer at all is tried again", () => {
  const outcome = outcomeOfCall({ kind: "unanswered", error: "ECONNRESET: closed", durationMs: 3 });
  expect(outcome).toEqual({ kind: "transient", reason: "ECONNRESET: closed", code: null });
});

test("no answer makes it throw, and only Telegram's own yes counts as delivered", () => {
  const body = fc.oneof(
    fc.string(),
    fc.jsonValue().map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), body, fc.option(fc.string()), (status, text, header) => {
      const outcome = answered(status, text, header);
      if (outcome.kind === "delivered") expect(JSON.parse(text)).toMatchObject({ ok: true });
    }),
  );
});
