import { type BoundedList, boundedList } from "./bounded.ts";

/** One call of a stood-in API, as `GET /requests` shows it. Secrets are replaced by `***`. */
export interface ReceivedRequest {
  /** When it arrived, milliseconds since 1970. */
  readonly at: number;
  readonly duration_ms: number;
  readonly method: string;
  readonly path: string;
  /** HTTP status answered; `null` where the connection was reset instead. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body_bytes: number;
  /** Conversions API events that were recorded; 0 for other calls. */
  readonly events: number;
  /** The fault that hit this request. */
  readonly fault: string | null;
}

/** What a handler tells the log about the request it answers. */
export interface RequestNote {
  bodyBytes: number;
  events: number;
  fault: string | null;
}

/** The calls every stand-in received, in order, bounded in memory. */
export interface RequestLog {
  readonly list: BoundedList<ReceivedRequest>;
  /** Runs `answer` and records the request with what came of it. */
  record(request: Request, answer: (note: RequestNote) => Promise<Response>): Promise<Response>;
}

const SECRET_HEADER = /authorization|cookie|token|secret|api-?key|signature/i;
const SECRET_QUERY = /([?&](?:access_token|appsecret_proof|token|key|secret)=)[^&]*/gi;
const BOT_TOKEN = /(\/bot\d*)(:|%3A)[^/]*/i;

/** Makes the log; it keeps the newest `maxRequests`. */
export function createRequestLog(maxRequests: number, now: () => number): RequestLog {
  const list = boundedList<ReceivedRequest>(maxRequests);
  return {
    list,
    async record(request, answer) {
      const at = now();
      const startedMs = performance.now();
      const note: RequestNote = { bodyBytes: 0, events: 0, fault: null };
      let status: number | null = null;
      try {
        const response = await answer(note);
        if (note.fault !== "reset") status = response.status;
        return response;
      } finally {
        list.push({
          at,
          duration_ms: Math.round((performance.now() - startedMs) * 1000) / 1000,
          method: request.method,
          path: redactedPath(request.url),
          status,
          headers: redactedHeaders(request.headers),
          body_bytes: note.bodyBytes,
          events: note.events,
          fault: note.fault,
        });
      }
    },
  };
}

/** Path and query of a URL with bot tokens and access tokens replaced by `***`. */
function redactedPath(url: string): string {
  const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
  return path.replace(BOT_TOKEN, "$1:***").replace(SECRET_QUERY, "$1***");
}

/** Headers as an object; the value of any header that carries a secret is `***`. */
function redactedHeaders(headers: Headers): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, value] of headers) shown[name] = SECRET_HEADER.test(name) ? "***" : value;
  return shown;
}
