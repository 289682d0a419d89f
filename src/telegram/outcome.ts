import { z } from "zod";
import { DAY_MS } from "../platform/durations.ts";
import { parseJson } from "../platform/json.ts";
import type { BotApiAnswer } from "./call.ts";

/** What a Bot API call came to, for whoever decides whether to send it again. `code` is Telegram's `error_code`. */
export type CallOutcome =
  | { readonly kind: "delivered" }
  /** No usable answer, or Telegram's own trouble: the same call may work later. */
  | { readonly kind: "transient"; readonly reason: string; readonly code: number | null }
  /** Too many calls; `afterMs` in Telegram's words, null where it does not say. */
  | {
      readonly kind: "throttled";
      readonly reason: string;
      readonly afterMs: number | null;
      readonly code: 429;
    }
  /** The bot's token, or that of its payment provider, is not (or no longer) good. */
  | {
      readonly kind: "credential";
      readonly of: "token" | "payment token";
      readonly reason: string;
      readonly code: number;
    }
  /** This person can never be written to by this bot, until they come back: blocked, deactivated, never started. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly code: number }
  /** The call itself is wrong, in Telegram's words. */
  | { readonly kind: "refused"; readonly reason: string; readonly code: number };

/** Source: Bot API, "Making requests" and `ResponseParameters`. */
const refusalSchema = z.object({
  ok: z.literal(false),
  error_code: z.int().optional(),
  description: z.string().optional(),
  parameters: z.object({ retry_after: z.number().nonnegative().optional() }).optional().catch(undefined),
});
const successSchema = z.object({ ok: z.literal(true) });

/** Longest pause that an answer can ask for; a longer one is a mistake on the way. */
const LONGEST_PAUSE_MS = DAY_MS;

/**
 * Reads a Bot API answer. Only `{"ok": true}` counts as delivered: a proxy's 200 page does not. An answer that is
 * none of Telegram's is transient, whatever its status, except that 429 is still respected.
 */
export function outcomeOfCall(answer: BotApiAnswer): CallOutcome {
  if (answer.kind === "unanswered") return { kind: "transient", reason: answer.error, code: null };
  const body = parseJson(answer.body);
  if (answer.status < 300 && successSchema.safeParse(body).success) return { kind: "delivered" };
  const refusal = refusalSchema.safeParse(body);
  const code = (refusal.success && refusal.data.error_code) || answer.status;
  const reason =
    (refusal.success && refusal.data.description) || `HTTP ${answer.status} without Telegram's words`;
  if (code === 429) {
    const seconds =
      (refusal.success ? refusal.data.parameters?.retry_after : undefined) ?? headerSeconds(answer);
    const afterMs = seconds === null ? null : Math.min(Math.ceil(seconds * 1_000), LONGEST_PAUSE_MS);
    return { kind: "throttled", reason, afterMs, code };
  }
  if (!refusal.success || code < 400 || code >= 500) return { kind: "transient", reason, code };
  switch (code) {
    // A token that Telegram does not know is 401, one that has not even a token's form 404.
    case 401:
    case 404:
      return { kind: "credential", of: "token", reason, code };
    case 403:
      return { kind: "unreachable", reason, code };
    case 408:
    case 409:
      return { kind: "transient", reason, code };
    default:
      if (/PAYMENT_PROVIDER_INVALID/.test(reason)) {
        return { kind: "credential", of: "payment token", reason, code };
      }
      return { kind: NO_CHAT.test(reason) ? "unreachable" : "refused", reason, code };
  }
}

/** With 400 for whom this bot never met: its token may be that of a new bot in the old one's place. */
const NO_CHAT = /chat not found|user not found|PEER_ID_INVALID/i;

function headerSeconds(answer: Extract<BotApiAnswer, { kind: "answered" }>): number | null {
  const text = answer.retryAfterHeader;
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
