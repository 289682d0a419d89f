import { errorText } from "../platform/errors.ts";
import { readAnswer } from "../platform/read-answer.ts";
import { redactSecret } from "../platform/redact-secret.ts";

const USER_AGENT = "Ponte/1.0";
/** What Meta knows the integration by. */
export const PARTNER_AGENT = "ponte";

/** Answer headers worth deciding on or logging. None carries a secret; values are redacted all the same. */
const KEPT_HEADERS: readonly string[] = [
  "content-type",
  "date",
  "retry-after",
  "x-app-usage",
  "x-business-use-case-usage",
  "x-ad-account-usage",
  "x-fb-trace-id",
  "x-fb-request-id",
  "x-fb-rev",
  "www-authenticate",
];

/** One request to `POST /<version>/<pixel>/events`. */
export interface SendEventsRequest {
  /** Base of the Graph API, e.g. `https://graph.facebook.com`. */
  readonly graphUrl: string;
  /** e.g. `v24.0`. */
  readonly version: string;
  readonly pixelId: string;
  readonly accessToken: string;
  /**
   * Shows the events in Events Manager's test view as well. Meta counts them all the same: "Events sent with
   * test_event_code are not dropped. They flow into Events Manager and are used for targeting and ads measurement
   * purposes." (Conversions API, Using the API)
   */
  readonly testEventCode: string | null;
  /** JSON texts of 1 to 1 000 events; joined as they are, never parsed again. */
  readonly events: readonly string[];
  /** For the whole exchange, answer body included. */
  readonly timeoutMs: number;
  /** Names the integration to Meta (`partner_agent`). */
  readonly partnerAgent?: string;
  /** Gives the request up, e.g. when the process stops. */
  readonly signal?: AbortSignal;
}

/** What came back. Nothing in it holds the access token, even where the other side repeats it. */
export type GraphAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Lower-case names; only those worth keeping. */
      readonly headers: Readonly<Record<string, string>>;
      /** Whole, so that it can be judged; whoever keeps it cuts it. */
      readonly body: string;
      readonly durationMs: number;
    }
  | { readonly kind: "unanswered"; readonly error: string; readonly durationMs: number };

/**
 * Sends a batch of events and says what happened; never throws and never retries. The token travels in the body, so that
 * no URL, proxy log or error text shows it. Redirects are not followed: the token goes to the configured host alone.
 */
export async function sendEvents(request: SendEventsRequest): Promise<GraphAnswer> {
  const startedAt = performance.now();
  const deadline = startDeadline(request.timeoutMs, request.signal);
  try {
    const response = await fetch(eventsUrl(request), {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "user-agent": USER_AGENT },
      body: requestBody(request),
      redirect: "manual",
      signal: deadline.signal,
    });
    const { text, isCut } = await readAnswer(response);
    return {
      kind: "answered",
      status: response.status,
      headers: keptHeaders(response.headers, request.accessToken),
      body: redactSecret(text, request.accessToken, isCut),
      durationMs: Math.round(performance.now() - startedAt),
    };
  } catch (error) {
    // A connection that breaks inside the answer ends here too: what Meta did is then unknown, and event_id makes
    // sending again harmless.
    const text = deadline.signal.aborted ? String(deadline.signal.reason) : errorText(error);
    return {
      kind: "unanswered",
      error: redactSecret(text, request.accessToken, false),
      durationMs: Math.round(performance.now() - startedAt),
    };
  } finally {
    deadline.clear();
  }
}

function eventsUrl({ graphUrl, version, pixelId }: SendEventsRequest): string {
  return `${graphUrl}/${encodeURIComponent(version)}/${encodeURIComponent(pixelId)}/events`;
}

function requestBody(request: SendEventsRequest): string {
  const { events, accessToken, testEventCode, partnerAgent } = request;
  const rest = JSON.stringify({
    ...(testEventCode ? { test_event_code: testEventCode } : null),
    ...(partnerAgent ? { partner_agent: partnerAgent } : null),
    access_token: accessToken,
  });
  return `{"data":[${events.join(",")}],${rest.slice(1)}`;
}

/** One signal for time-out and stop; cleared so that a thousand finished requests leave no timer or listener behind. */
function startDeadline(timeoutMs: number, stop: AbortSignal | undefined) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(`time-out: no answer within ${timeoutMs} ms`), timeoutMs);
  const onStop = () => controller.abort("given up: stopping");
  if (stop?.aborted) onStop();
  stop?.addEventListener("abort", onStop, { once: true });
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", onStop);
    },
  };
}

/** Whole: a usage header names every business of the app, and cut it could not be read. HTTP itself has the limit. */
function keptHeaders(headers: Headers, secret: string): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers.get(name);
    if (value !== null) kept[name] = redactSecret(value, secret, false);
  }
  return kept;
}
