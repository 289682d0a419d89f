import { redactSecret } from "../../meta/redact.ts";
import { parseJson } from "../../platform/json.ts";
import { ProviderError } from "./adapter.ts";

/** Providers want their webhooks answered within 20 s or so, and a webhook may wait for one such call. */
const TIMEOUT_MS = 10_000;
/** Longest part of a provider's words that is passed on. Characters. */
const LONGEST_REASON = 300;

/** A provider's API, as one account of ours may ask it. */
export interface ProviderApi {
  /** The provider's name for people, such as "Mercado Pago". */
  readonly provider: string;
  /** Without a path, e.g. `https://api.stripe.com`. */
  readonly apiUrl: string;
  /** Goes as the bearer token, and shows in no message. */
  readonly secret: string;
  /** For the whole exchange; 10 s without it. */
  readonly timeoutMs?: number | undefined;
}

/** One call of it. */
interface ProviderCall {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type ProviderAnswer =
  | { readonly kind: "ok"; readonly body: unknown }
  /** The resource is not there (404). */
  | { readonly kind: "missing" };

/**
 * Calls a provider's API once. Redirects are not followed: they would carry the secret elsewhere.
 * @throws ProviderError when it does not answer, refuses (permanent where the request itself is wrong), or answers
 * what is not JSON
 */
export async function callProvider(
  { provider, apiUrl, secret, timeoutMs = TIMEOUT_MS }: ProviderApi,
  { method, path, headers, body: sent }: ProviderCall,
): Promise<ProviderAnswer> {
  const fail = (reason: string, isPermanent = false) =>
    new ProviderError(`${provider} ${redactSecret(reason, secret, reason.length >= LONGEST_REASON)}`, {
      isPermanent,
    });
  const deadline = AbortSignal.timeout(timeoutMs);
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${apiUrl}${path}`, {
      method,
      headers: { accept: "application/json", authorization: `Bearer ${secret}`, ...headers },
      ...(sent !== undefined && { body: sent }),
      redirect: "manual",
      signal: deadline,
    });
    text = await response.text();
  } catch (error) {
    if (deadline.aborted) throw fail(`did not answer within ${timeoutMs} ms`);
    throw fail(`could not be reached: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (response.status === 404) return { kind: "missing" };
  const body = parseJson(text);
  if (!response.ok) {
    const words = `answered ${response.status}: ${reasonIn(body) ?? text}`.slice(0, LONGEST_REASON);
    throw fail(words, isRefusal(response.status));
  }
  if (body === undefined) throw fail("answered something that is not JSON");
  return { kind: "ok", body };
}

/**
 * Whether the provider says that this very request is wrong. Not so a bad credential (401, 403) or what passes by itself
 * (time-out 408, a request with the same idempotency key under way 409, too early 425, too many 429).
 */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 403, 408, 409, 425, 429].includes(status);
}

/** The words of an error body: `{ message }`, or Stripe's `{ error: { message } }`. */
function reasonIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null) return null;
  if ("message" in body && typeof body.message === "string") return body.message;
  return "error" in body ? reasonIn(body.error) : null;
}
