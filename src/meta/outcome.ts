import { type GraphError, readGraphBody } from "./graph-body.ts";
import type { GraphAnswer } from "./graph-client.ts";
import { retryAfterMs, usageDelayMs } from "./usage-headers.ts";

/** What became of a request. `reason` is for operators and holds no secret. */
export type Outcome =
  | {
      readonly kind: "delivered";
      readonly messages: readonly string[];
      /** Wait this long before the pixel's next request: Meta's quota is used up. Null: no need. */
      readonly usageDelayMs: number | null;
      readonly fbtraceId: string | null;
    }
  /** Meta counted some of the events, but not all, and does not say which: send apart, event_id makes it harmless. */
  | {
      readonly kind: "partial";
      readonly reason: string;
      readonly usageDelayMs: number | null;
      readonly fbtraceId: string | null;
    }
  /** Send again later, with back-off, and not before `afterMs` where it is given. */
  | {
      readonly kind: "transient";
      readonly reason: string;
      readonly afterMs: number | null;
      readonly fbtraceId: string | null;
    }
  /** Slow the pixel down, for `afterMs` where Meta says how long. */
  | {
      readonly kind: "throttled";
      readonly reason: string;
      readonly afterMs: number | null;
      readonly fbtraceId: string | null;
    }
  /** Pause the pixel until somebody changes its token or permission, or our settings; its rows wait. */
  | {
      readonly kind: "credential";
      readonly of: Blamed;
      readonly reason: string;
      readonly code: number | null;
      readonly fbtraceId: string | null;
    }
  /** Some event of the batch breaks a rule (`expired`: it is older than seven days): split, and the one alone is dead. */
  | {
      readonly kind: "invalid";
      readonly reason: string;
      readonly code: number | null;
      readonly subcode: number | null;
      readonly expired: boolean;
      readonly fbtraceId: string | null;
    };

/** What has to change: the token, what it (or its app) may reach, or the version and address by which Graph is asked. */
type Blamed = "token" | "reach" | "address";

type Answered = Extract<GraphAnswer, { kind: "answered" }>;

/** Subcode of 100: the event's time lies more than seven days back. */
const EVENT_TOO_OLD = 2804003;
/** Subcode of 100: there is no such object, or the token may not see it. */
const OBJECT_NOT_OURS = 33;

/** So do 80000 to 80014. https://developers.facebook.com/docs/graph-api/overview/rate-limiting */
const THROTTLE_CODES: ReadonlySet<number> = new Set([4, 17, 32, 341, 613]);
/** Unknown, away or blocked for a while: over by itself. https://developers.facebook.com/docs/graph-api/guides/error-handling */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([1, 2, 368, 5000]);
/** What no event is to blame for, and somebody has to put right. https://developers.facebook.com/docs/graph-api/guides/error-handling */
export const TOKEN_CODES: ReadonlySet<number> = new Set([102, 190]);
/** The app lacks a capability or permission, or the token sees no such object; so do 200 to 299. */
const REACH_CODES: ReadonlySet<number> = new Set([3, 10, 803]);
/** A path that Graph does not know, a version that Meta has ended. */
export const ADDRESS_CODES: ReadonlySet<number> = new Set([2500, 2635]);
const INVALID_CODES: ReadonlySet<number> = new Set([100, 105]);
/** For an error that has none: in no class. */
const NO_CODE = -1;

/**
 * Judges one answer to a batch of `sent` events. Pure.
 *
 * A body Meta would not write (HTML, cut or empty, a 200 without `events_received`) comes from something between us and
 * Meta, so it is transient whatever its status, but for two statuses that say enough alone: 429 is throttled, and 413
 * (request too large) is invalid, so that the batch is halved.
 */
export function outcomeOf(answer: GraphAnswer, sent: number): Outcome {
  if (answer.kind === "unanswered") {
    return { kind: "transient", reason: answer.error, afterMs: null, fbtraceId: null };
  }
  const body = readGraphBody(answer.body);
  switch (body.kind) {
    case "received": {
      if (answer.status < 200 || answer.status > 299) return unreadable(answer);
      const { received, messages } = body;
      const fbtraceId = body.fbtraceId ?? headerTraceId(answer);
      const delayMs = usageDelayMs(answer.headers);
      if (received >= sent) return { kind: "delivered", messages, usageDelayMs: delayMs, fbtraceId };
      const reason = [`Meta received ${received} of ${sent} events`, ...messages].join("; ");
      return received === 0
        ? { kind: "transient", reason, afterMs: delayMs, fbtraceId }
        : { kind: "partial", reason, usageDelayMs: delayMs, fbtraceId };
    }
    case "error":
      return refusal(answer, body.error);
    case "garbage":
      return unreadable(answer);
  }
}

/** The order matters: the narrower class first, and what heals by itself before what needs a hand or burns an event. */
function refusal(answer: Answered, error: GraphError): Outcome {
  const { status } = answer;
  const { code, subcode } = error;
  const fbtraceId = error.fbtraceId ?? headerTraceId(answer);
  const reason = `${error.words} (HTTP ${status}, code ${code ?? "none"}${subcode === null ? "" : `/${subcode}`})`;

  const known = code ?? NO_CODE;
  if (status === 429 || isThrottleCode(known)) {
    return { kind: "throttled", reason, afterMs: throttleMs(answer), fbtraceId };
  }
  const heals = error.isTransient || TRANSIENT_CODES.has(known) || status >= 500 || status === 408;
  if (heals) return { kind: "transient", reason, afterMs: retryAfterMs(answer.headers), fbtraceId };
  const of = blamed(status, known, subcode);
  if (of !== null) return { kind: "credential", of, reason, code, fbtraceId };
  if (INVALID_CODES.has(known) || (status >= 400 && status <= 499)) {
    return { kind: "invalid", reason, code, subcode, expired: subcode === EVENT_TOO_OLD, fbtraceId };
  }
  return { kind: "transient", reason, afterMs: retryAfterMs(answer.headers), fbtraceId };
}

function isThrottleCode(code: number): boolean {
  return THROTTLE_CODES.has(code) || (code >= 80_000 && code <= 80_014);
}

/** Null: an event. A 401 with a code nobody knows is about the token: pausing loses nothing, calling the events bad would. */
function blamed(status: number, code: number, subcode: number | null): Blamed | null {
  if (TOKEN_CODES.has(code)) return "token";
  if (REACH_CODES.has(code) || (code >= 200 && code <= 299)) return "reach";
  if (ADDRESS_CODES.has(code)) return "address";
  if (INVALID_CODES.has(code)) return code === 100 && subcode === OBJECT_NOT_OURS ? "reach" : null;
  return status === 401 ? "token" : null;
}

function unreadable(answer: Answered): Outcome {
  const { status } = answer;
  const fbtraceId = headerTraceId(answer);
  const start = answer.body.slice(0, 200).replace(/\s+/g, " ").trim();
  const reason = `HTTP ${status} with a body that is not Meta's: ${start === "" ? "(empty)" : start}`;
  if (status === 429) return { kind: "throttled", reason, afterMs: throttleMs(answer), fbtraceId };
  if (status === 413)
    return { kind: "invalid", reason, code: null, subcode: null, expired: false, fbtraceId };
  return { kind: "transient", reason, afterMs: retryAfterMs(answer.headers), fbtraceId };
}

/** The longest wait any header asks for. */
function throttleMs(answer: Answered): number | null {
  const asked = [retryAfterMs(answer.headers), usageDelayMs(answer.headers)].filter((ms) => ms !== null);
  return asked.length === 0 ? null : Math.max(...asked);
}

function headerTraceId(answer: Answered): string | null {
  return answer.headers["x-fb-trace-id"] ?? null;
}
