import { and, desc, eq, isNotNull } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { isExpired, MAX_EVENTS_PER_REQUEST } from "../meta/event-limits.ts";
import { type GraphAnswer, sendEvents } from "../meta/graph-client.ts";
import { type Outcome, outcomeOf } from "../meta/outcome.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { Answer, ClaimedRow, DestinationAdapter, Verdict } from "./destination.ts";

const TIMEOUT_MS = 30_000;
/** How long a pixel's token is remembered; a changed one is noticed this soon. */
const TOKEN_TTL_MS = 2_000;

/** Sends PageViews and Purchases to Meta's Conversions API, a request for each batch of a pixel. */
export function metaDestination(deps: {
  db: Database;
  secrets: Secrets;
  graphUrl: string;
  graphVersion: string;
  timeoutMs?: number;
}): DestinationAdapter {
  const { graphUrl, graphVersion, timeoutMs = TIMEOUT_MS } = deps;
  const accessTokenOf = tokenLookup(deps.db, deps.secrets);

  return {
    maxBatch: MAX_EVENTS_PER_REQUEST,
    isExpired: (row, now) => isExpired(eventTimeOf(row), now),
    async send(route, rows, signal) {
      const [pixelId = "", testEventCode = null] = route.split("/", 2);
      const token = await accessTokenOf(pixelId);
      if (token.kind === "missing") return unsendable(token.reason);
      const answer = await sendEvents({
        graphUrl,
        version: graphVersion,
        pixelId,
        accessToken: token.accessToken,
        testEventCode,
        events: rows.map((row) => row.payload),
        timeoutMs,
        partnerAgent: "ponte",
        signal,
      });
      const outcome = outcomeOf(answer, rows.length);
      return { verdict: verdictOf(outcome), answer: answerOf(answer, outcome) };
    },
  };
}

/** Our own events say their time near the start of their text; reading it costs no parsing. Unix seconds. */
function eventTimeOf(row: ClaimedRow): number {
  const found = /"event_time":\s*(\d+)/.exec(row.payload)?.[1];
  return found === undefined ? row.createdAtMs / 1000 : Number(found);
}

function verdictOf(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case "delivered":
      return {
        kind: "delivered",
        note: outcome.messages.length > 0 ? outcome.messages.join("; ") : null,
        pauseMs: outcome.usageDelayMs,
      };
    case "transient":
    case "throttled":
      return { kind: outcome.kind, reason: outcome.reason, afterMs: outcome.afterMs };
    case "credential":
      return { kind: "credential", reason: outcome.reason };
    case "invalid":
      return { kind: "invalid", reason: outcome.reason, as: outcome.expired ? "expired" : "dead" };
  }
}

function answerOf(answer: GraphAnswer, outcome: Outcome): Answer {
  const codes = outcome.kind === "invalid" || outcome.kind === "credential" ? outcome : null;
  return {
    status: answer.kind === "answered" ? answer.status : null,
    code: codes?.code ?? null,
    subcode: outcome.kind === "invalid" ? outcome.subcode : null,
    fbtraceId: outcome.fbtraceId,
    durationMs: answer.durationMs,
    response: answer.kind === "answered" ? answer.body : answer.error,
  };
}

/** Nothing was sent: the operator has to give the pixel a token first. */
function unsendable(reason: string) {
  return {
    verdict: { kind: "credential", reason } as const,
    answer: { status: null, code: null, subcode: null, fbtraceId: null, durationMs: 0, response: reason },
  };
}

type Token =
  | { readonly kind: "found"; readonly accessToken: string }
  | { readonly kind: "missing"; readonly reason: string };

/** A pixel's token: that of the most recently changed pool which has the pixel and a token. */
function tokenLookup(db: Database, secrets: Secrets): (pixelId: string) => Promise<Token> {
  const { pools } = db.tables;
  const remembered = new Map<string, { token: Token; until: number }>();

  async function look(pixelId: string): Promise<Token> {
    const [pool] = await db
      .select({ sealed: pools.metaAccessToken })
      .from(pools)
      .where(and(eq(pools.metaPixelId, pixelId), isNotNull(pools.metaAccessToken)))
      .orderBy(desc(pools.updatedAt))
      .limit(1);
    if (!pool?.sealed) {
      return {
        kind: "missing",
        reason: `No pool holds an access token for pixel ${pixelId}. Set one: ponte pool update <slug> --access-token …`,
      };
    }
    try {
      return { kind: "found", accessToken: secrets.open(pool.sealed, "pools.meta_access_token") };
    } catch (error) {
      return { kind: "missing", reason: String(error) };
    }
  }

  return async (pixelId) => {
    const known = remembered.get(pixelId);
    if (known && known.until > performance.now()) return known.token;
    const token = await look(pixelId);
    remembered.set(pixelId, { token, until: performance.now() + TOKEN_TTL_MS });
    return token;
  };
}
