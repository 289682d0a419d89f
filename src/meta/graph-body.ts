import { isRecord, parseJson } from "../platform/json.ts";

/** Meta's `error` object, as far as it was filled in. */
export interface GraphError {
  readonly code: number | null;
  readonly subcode: number | null;
  readonly isTransient: boolean;
  /** Meta's own words: title and message for users where given, then the technical message. */
  readonly words: string;
  readonly fbtraceId: string | null;
}

/** What an answer's body says: events received, an error, or nothing Meta would write. */
type GraphBody =
  | {
      readonly kind: "received";
      readonly received: number;
      readonly messages: readonly string[];
      readonly fbtraceId: string | null;
    }
  | { readonly kind: "error"; readonly error: GraphError }
  | { readonly kind: "garbage" };

/** Reads a Graph answer's body; anything unexpected (HTML, cut JSON, `{}`, a negative count) is garbage. Never throws. */
export function readGraphBody(body: string): GraphBody {
  const json = parseJson(body);
  if (!isRecord(json)) return { kind: "garbage" };
  if (isRecord(json.error)) return { kind: "error", error: readError(json.error) };
  const received = json.events_received;
  if (typeof received !== "number" || !Number.isInteger(received) || received < 0) return { kind: "garbage" };
  const messages = Array.isArray(json.messages) ? json.messages.map(asText) : [];
  return { kind: "received", received, messages, fbtraceId: textOrNull(json.fbtrace_id) };
}

function readError(error: Readonly<Record<string, unknown>>): GraphError {
  const title = textOrNull(error.error_user_title);
  const userMessage = textOrNull(error.error_user_msg);
  const message = textOrNull(error.message);
  const words = [title, userMessage, message].filter((text) => text !== null);
  return {
    code: codeOrNull(error.code),
    subcode: codeOrNull(error.error_subcode),
    isTransient: error.is_transient === true,
    words: [...new Set(words)].join(": ") || "Meta gave no reason",
    fbtraceId: textOrNull(error.fbtrace_id),
  };
}

function codeOrNull(value: unknown): number | null {
  const code = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof code === "number" && Number.isInteger(code) ? code : null;
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
