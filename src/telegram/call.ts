import { errorText } from "../platform/errors.ts";
import { readAnswer } from "../platform/read-answer.ts";
import { redactSecret } from "../platform/redact-secret.ts";

/** One call of the Bot API. */
interface BotApiCall {
  /** Base of the Bot API, e.g. `https://api.telegram.org`. */
  readonly apiUrl: string;
  readonly token: string;
  readonly method: string;
  readonly body: object;
  /** A file besides, under the parameter's name: the call then goes as a form. */
  readonly upload?: {
    readonly name: string;
    readonly fileName: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
  };
  /** For the whole exchange, answer body included. */
  readonly timeoutMs: number;
  /** Gives the call up, e.g. when the process stops. */
  readonly signal: AbortSignal;
}

/** What came back. Nothing in it holds the bot's token or another of `secrets`. */
export type BotApiAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Whole, so that it can be judged: Telegram repeats the message, each Cyrillic letter as six characters. */
      readonly body: string;
      readonly retryAfterHeader: string | null;
      readonly durationMs: number;
    }
  | { readonly kind: "unanswered"; readonly error: string; readonly durationMs: number };

/** JSON; with a file, a form whose other fields are JSON where they are no text. */
function contentOf({ body, upload }: BotApiCall): Pick<RequestInit, "headers" | "body"> {
  if (upload === undefined) {
    return {
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    };
  }
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) {
    form.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  form.set(upload.name, new File([upload.bytes], upload.fileName, { type: "image/png" }));
  return { headers: { accept: "application/json" }, body: form };
}

/**
 * Calls a method of the Bot API and says what happened; never throws and never retries. Telegram wants the token in
 * the address, so what may quote the address (errors, answers of something on the way) is redacted. Redirects are not
 * followed.
 *
 * @param secrets further texts that must not show, such as a payment provider's token inside the body
 */
export async function callBotApi(call: BotApiCall, secrets: readonly string[] = []): Promise<BotApiAnswer> {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  const redacted = (text: string, isCut: boolean) =>
    [call.token, ...secrets].reduce((kept, secret) => redactSecret(kept, secret, isCut), text);
  const deadline = AbortSignal.timeout(call.timeoutMs);
  try {
    const response = await fetch(`${call.apiUrl}/bot${call.token}/${call.method}`, {
      method: "POST",
      ...contentOf(call),
      redirect: "manual",
      signal: AbortSignal.any([deadline, call.signal]),
    });
    const { text, isCut } = await readAnswer(response);
    return {
      kind: "answered",
      status: response.status,
      body: redacted(text, isCut),
      retryAfterHeader: response.headers.get("retry-after"),
      durationMs: durationMs(),
    };
  } catch (error) {
    const reason = deadline.aborted
      ? `time-out: no answer within ${call.timeoutMs} ms`
      : call.signal.aborted
        ? "given up: stopping"
        : errorText(error);
    return { kind: "unanswered", error: redacted(reason, false), durationMs: durationMs() };
  }
}
