import type { z } from "zod";
import { errorText } from "../../platform/errors.ts";
import { parseJson } from "../../platform/json.ts";
import { readAnswer } from "../../platform/read-answer.ts";
import { redactSecret } from "../../platform/redact-secret.ts";
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

/** What goes to a provider. */
interface Posted {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * What the provider has at a path; null where there is nothing (404).
 * @throws ProviderError when it does not answer, refuses, or answers what the schema does not take
 */
export async function getFromProvider<T>(
  api: ProviderApi,
  path: string,
  schema: z.ZodType<T>,
): Promise<T | null> {
  const answer = await exchange(api, path, { method: "GET" });
  return answer.status === 404 ? null : understood(api, answer, schema);
}

/**
 * What the provider makes of a request.
 * @throws ProviderError as `getFromProvider`, permanent where the request itself is wrong
 */
export async function postToProvider<T>(
  api: ProviderApi,
  path: string,
  posted: Posted,
  schema: z.ZodType<T>,
): Promise<T> {
  return understood(api, await exchange(api, path, { method: "POST", ...posted }), schema);
}

interface ProviderAnswer {
  readonly status: number;
  readonly text: string;
}

/** Once. Redirects are not followed: they would carry the secret elsewhere. */
async function exchange(
  api: ProviderApi,
  path: string,
  { headers, ...request }: { readonly method: "GET" | "POST" } & Partial<Posted>,
): Promise<ProviderAnswer> {
  const { apiUrl, secret, timeoutMs = TIMEOUT_MS } = api;
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${apiUrl}${path}`, {
      ...request,
      headers: { accept: "application/json", authorization: `Bearer ${secret}`, ...headers },
      redirect: "manual",
      signal: deadline,
    });
    const { text } = await readAnswer(response);
    return { status: response.status, text };
  } catch (error) {
    if (deadline.aborted) throw failure(api, `did not answer within ${timeoutMs} ms`);
    throw failure(api, `could not be reached: ${errorText(error)}`);
  }
}

function understood<T>(api: ProviderApi, { status, text }: ProviderAnswer, schema: z.ZodType<T>): T {
  const body = parseJson(text);
  if (status < 200 || status > 299) {
    const words = `answered ${status}: ${reasonIn(body) ?? text}`.slice(0, LONGEST_REASON);
    throw failure(api, words, isRefusal(status));
  }
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw failure(api, "answered something else than it was asked for");
  return parsed.data;
}

function failure({ provider, secret }: ProviderApi, reason: string, isPermanent = false): ProviderError {
  const isCut = reason.length >= LONGEST_REASON;
  return new ProviderError(`${provider} ${redactSecret(reason, secret, isCut)}`, { isPermanent });
}

/**
 * Whether the provider says that this very request is wrong. Not so what is wrong with the settings (a credential 401,
 * 403; an address 404) or what passes by itself (time-out 408, a request with the same idempotency key under way 409,
 * locked 423, somebody behind the provider failing 424, too early 425, too many 429). Source for 424: Stripe's API
 * reference, "Errors"; for 423 and 425: RFC 4918 and RFC 8470.
 */
function isRefusal(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 403, 404, 408, 409, 423, 424, 425, 429].includes(status);
}

/** The words of an error body: `{ message }`, or Stripe's `{ error: { message } }`. */
function reasonIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null) return null;
  if ("message" in body && typeof body.message === "string") return body.message;
  return "error" in body ? reasonIn(body.error) : null;
}
