import type { Database } from "../db/database.ts";
import { BROWSER_ID_FORMS, goodBrowserIds } from "../meta/browser-ids.ts";
import { isExpired, MAX_EVENTS_PER_REQUEST, validateEvent } from "../meta/event-limits.ts";
import { readGraphBody } from "../meta/graph-body.ts";
import { type GraphAnswer, PARTNER_AGENT, sendEvents } from "../meta/graph-client.ts";
import { type Outcome, outcomeOf } from "../meta/outcome.ts";
import { isRecord, parseJson } from "../platform/json.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { Answer, ClaimedRow, DestinationAdapter, Verdict } from "./destination.ts";
import { REQUEST_TIMEOUT_MS } from "./lease.ts";
import { createMetaClock } from "./meta-clock.ts";
import { lookUpTokens } from "./pixel-tokens.ts";
import { parseRoute } from "./routes.ts";

interface MetaDestinationDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly graphUrl: string;
  readonly graphVersion: string;
  readonly timeoutMs?: number;
}

/** A request that Meta answered. */
interface MadeRequest {
  readonly pixelId: string;
  readonly accessToken: string;
  readonly rows: readonly ClaimedRow[];
  /** The latest time that any of them said. Unix seconds. */
  readonly latestSeconds: number;
}

/** Sends PageViews and Purchases to Meta's Conversions API, a request for each batch of a pixel. */
export function metaDestination(deps: MetaDestinationDeps): DestinationAdapter {
  const { graphUrl, graphVersion, timeoutMs = REQUEST_TIMEOUT_MS } = deps;
  /** Tokens that Meta refused, by pixel, while the pixel has others. */
  const refused = new Map<string, Set<string>>();
  const clock = createMetaClock();

  function notRefused(pixelId: string, tokens: readonly string[]): string | undefined {
    return tokens.find((token) => !refused.get(pixelId)?.has(token));
  }

  /** Whether the pixel has a token left, perhaps since a moment ago. Where not, all may be tried anew later. */
  async function hasAnother(
    pixelId: string,
    rows: readonly ClaimedRow[],
    accessToken: string,
  ): Promise<boolean> {
    refused.set(pixelId, (refused.get(pixelId) ?? new Set()).add(accessToken));
    const tokens = await lookUpTokens(deps, pixelId, rows);
    if (tokens.kind === "found" && notRefused(pixelId, tokens.accessTokens) !== undefined) return true;
    refused.delete(pixelId);
    return false;
  }

  /** The verdict; or that the rows are well sent again at once, for what they were refused for is known better since. */
  async function reconsider(
    verdict: Verdict,
    answer: GraphAnswer,
    { pixelId, accessToken, rows, latestSeconds }: MadeRequest,
  ): Promise<Verdict> {
    const outdated = (why: string, reason: string): Verdict => ({
      kind: "outdated",
      reason: `${why}: ${reason}`,
    });
    switch (verdict.kind) {
      case "delivered":
        clock.taken(answer, claimedAtMs(rows));
        return verdict;
      case "credential":
        return (await hasAnother(pixelId, rows, accessToken))
          ? outdated("the pixel has another token, which is tried next", verdict.reason)
          : verdict;
      case "invalid": {
        const times = rows.map(eventTimeOf);
        const newest = Math.max(...times);
        const isAnyOld = isExpired(Math.min(...times), new Date(latestSeconds * 1_000));
        if (verdict.as === "expired" && newest > latestSeconds && !isAnyOld && clock.misled()) {
          return outdated(
            "our own time is taken next, for the one that Meta's answers told was wrong",
            verdict.reason,
          );
        }
        return clock.refused(answer, Math.min(newest, latestSeconds))
          ? outdated("our clock is ahead of Meta's, whose time is taken next", verdict.reason)
          : verdict;
      }
      default:
        return verdict;
    }
  }

  return {
    maxBatch: MAX_EVENTS_PER_REQUEST,
    isExpired: (row, now) => isExpired(eventTimeOf(row), now),
    async send(route, rows, signal) {
      const { account: pixelId, lane: testEventCode } = parseRoute(route);
      const tokens = await lookUpTokens(deps, pixelId, rows);
      if (tokens.kind === "missing")
        return { verdict: { kind: "credential", reason: tokens.reason }, answer: null };
      const accessToken = notRefused(pixelId, tokens.accessTokens) ?? tokens.accessTokens[0];
      const latestSeconds = clock.latestSeconds(claimedAtMs(rows));
      const answer = await sendEvents({
        graphUrl,
        version: graphVersion,
        pixelId,
        accessToken,
        testEventCode,
        events: rows.map((row) => eventText(row, latestSeconds)),
        timeoutMs,
        partnerAgent: PARTNER_AGENT,
        signal,
      });
      const outcome = outcomeOf(answer, rows.length);
      const made = { pixelId, accessToken, rows, latestSeconds };
      return {
        verdict: await reconsider(verdictOf(outcome, rows), answer, made),
        answer: answerOf(answer, outcome),
      };
    },
  };
}

function claimedAtMs(rows: readonly ClaimedRow[]): number {
  return Math.max(...rows.map((row) => row.claimedAtMs));
}

const EVENT_TIME = /("event_time":\s*)(\d+)/;

/** Our own events say their time near the start of their text; reading it costs no parsing. Unix seconds. */
function eventTimeOf(row: ClaimedRow): number {
  const found = EVENT_TIME.exec(row.payload)?.[2];
  return found === undefined ? row.createdAtMs / 1000 : Number(found);
}

/** The event as it was committed; but Meta refuses the future, where a clock that is ahead puts events. */
function eventText(row: ClaimedRow, latestSeconds: number): string {
  const text = withGoodIds(row.payload);
  return eventTimeOf(row) <= latestSeconds ? text : text.replace(EVENT_TIME, `$1${latestSeconds}`);
}

const inside = ({ source }: RegExp) => source.slice(1, -1);

/** A cookie of another form than Meta takes. Only keys stand between bare quotes and before a colon, whatever texts say. */
const BAD_ID = new RegExp(
  `"fbc":\\s*"(?!${inside(BROWSER_ID_FORMS.fbc)}")|"fbp":\\s*"(?!${inside(BROWSER_ID_FORMS.fbp)}")`,
);

/** Without the cookies that Meta refuses, which an older version of Ponte took; such an event may still be waiting. */
function withGoodIds(text: string): string {
  if (!BAD_ID.test(text)) return text;
  const event = parseJson(text);
  if (!isRecord(event) || !isRecord(event.user_data)) return text;
  const { fbc, fbp, ...others } = event.user_data;
  return JSON.stringify({ ...event, user_data: { ...others, ...goodBrowserIds({ fbc, fbp }) } });
}

function verdictOf(outcome: Outcome, rows: readonly ClaimedRow[]): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return {
        kind: "delivered",
        note: outcome.messages.length > 0 ? outcome.messages.join("; ") : null,
        pauseMs: outcome.usageDelayMs,
      };
    case "partial":
      return { kind: "partial", reason: outcome.reason, pauseMs: outcome.usageDelayMs };
    case "transient":
      return { kind: "transient", reason: outcome.reason, afterMs: outcome.afterMs };
    case "throttled":
      return { kind: "throttled", whose: "account", reason: outcome.reason, afterMs: outcome.afterMs };
    case "credential":
      return { kind: "credential", reason: outcome.reason };
    case "invalid":
      return {
        kind: "invalid",
        reason: outcome.reason,
        as: outcome.expired ? "expired" : "dead",
        ...suspicion(outcome, rows),
      };
  }
}

/** Which events a refusal may be about: the one Meta names by its place, and those that break a rule known to us. */
function suspicion({ reason, expired }: Extract<Outcome, { kind: "invalid" }>, rows: readonly ClaimedRow[]) {
  const broken = rows.flatMap((row, place) => (looksWrong(row) ? [place] : []));
  const named = Number(/data\[(\d+)\]/.exec(reason)?.[1] ?? Number.NaN);
  return {
    suspects: named < rows.length && !broken.includes(named) ? [...broken, named] : broken,
    isUnexplained: broken.length === 0 && !expired,
  };
}

function looksWrong(row: ClaimedRow): boolean {
  return validateEvent(parseJson(withGoodIds(row.payload)), new Date(row.claimedAtMs)).kind !== "ok";
}

function answerOf(answer: GraphAnswer, outcome: Outcome): Answer {
  const body = answer.kind === "answered" ? readGraphBody(answer.body) : null;
  const error = body?.kind === "error" ? body.error : null;
  return {
    status: answer.kind === "answered" ? answer.status : null,
    code: error?.code ?? null,
    subcode: error?.subcode ?? null,
    fbtraceId: outcome.fbtraceId,
    durationMs: answer.durationMs,
    response: answer.kind === "answered" ? answer.body : answer.error,
  };
}
