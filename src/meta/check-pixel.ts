import { isRecord, parseJson } from "../platform/json.ts";
import { readAnswer } from "../platform/read-answer.ts";
import { redactSecret } from "../platform/redact-secret.ts";
import { readGraphBody } from "./graph-body.ts";
import { ADDRESS_CODES, TOKEN_CODES } from "./outcome.ts";

/** Whether a token reaches a pixel, as far as Meta tells without sending an event. */
export type PixelCheck =
  | { readonly kind: "reached"; readonly name: string | null }
  /** The token itself is no good (codes 102, 190, HTTP 401): events will be refused. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The token may not read the pixel. A token made for the Conversions API alone may still send to it. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** META_GRAPH_VERSION or META_GRAPH_URL is to blame (codes 2500, 2635): events will be refused. */
  | { readonly kind: "misaddressed"; readonly reason: string }
  | { readonly kind: "unanswered"; readonly reason: string };

/** Asks `GET /<version>/<pixel>?fields=id,name`; the token travels in a header. Never throws. */
export async function checkPixel(request: {
  readonly graphUrl: string;
  readonly version: string;
  readonly pixelId: string;
  readonly accessToken: string;
  readonly timeoutMs: number;
}): Promise<PixelCheck> {
  const { graphUrl, version, pixelId, accessToken, timeoutMs } = request;
  const url = `${graphUrl}/${encodeURIComponent(version)}/${encodeURIComponent(pixelId)}?fields=id,name`;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${accessToken}`, accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { text, isCut } = await readAnswer(response);
    return judge(response.status, redactSecret(text, accessToken, isCut));
  } catch (error) {
    return { kind: "unanswered", reason: redactSecret(String(error), accessToken, false) };
  }
}

function judge(status: number, text: string): PixelCheck {
  const json = parseJson(text);
  if (status === 200 && isRecord(json) && typeof json.id === "string") {
    return { kind: "reached", name: typeof json.name === "string" ? json.name : null };
  }
  const body = readGraphBody(text);
  if (body.kind !== "error" || status >= 500) return { kind: "unanswered", reason: `HTTP ${status}` };
  const { words, code } = body.error;
  const reason = `${words} (HTTP ${status}, code ${code ?? "none"})`;
  if (status === 401 || TOKEN_CODES.has(code ?? -1)) return { kind: "refused", reason };
  return { kind: ADDRESS_CODES.has(code ?? -1) ? "misaddressed" : "unreadable", reason };
}
