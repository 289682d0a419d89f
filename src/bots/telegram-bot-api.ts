import { Api, GrammyError, HttpError } from "grammy";
import { z } from "zod";
import type { BotApi, TelegramRefused, TelegramUnreachable } from "./bot-api.ts";

const TIMEOUT_SECONDS = 10;

/** What the funnel understands; Telegram sends nothing else then. */
const ALLOWED_UPDATES = ["message", "callback_query", "pre_checkout_query", "my_chat_member"] as const;

/** What is read of Telegram's answers; whatever else stands in its place may answer anything. */
const meSchema = z.object({ id: z.int(), username: z.string() });
const webhookSchema = z.object({
  url: z.string().default(""),
  pending_update_count: z.int(),
  last_error_message: z.string().optional(),
  last_error_date: z.int().optional(),
});
const refusalSchema = z.object({ error_code: z.int(), description: z.string() });

/** Bot management's side of Telegram's Bot API at `apiRoot`, e.g. `https://api.telegram.org`. */
export function telegramBotApi(apiRoot: string): BotApi {
  const of = (token: string) => new Api(token, { apiRoot, timeoutSeconds: TIMEOUT_SECONDS });
  return {
    identify: (token) =>
      told(async () => {
        const me = meSchema.parse(await of(token).getMe());
        return { kind: "known", telegramId: String(me.id), username: me.username };
      }),
    setWebhook: (token, { url, secret }) =>
      told(async () => {
        await of(token).setWebhook(url, { secret_token: secret, allowed_updates: ALLOWED_UPDATES });
        return { kind: "done" };
      }),
    deleteWebhook: (token) =>
      told(async () => {
        await of(token).deleteWebhook();
        return { kind: "done" };
      }),
    webhookInfo: (token) =>
      told(async () => {
        const info = webhookSchema.parse(await of(token).getWebhookInfo());
        return {
          kind: "known",
          url: info.url,
          waiting: info.pending_update_count,
          lastError: info.last_error_message ?? null,
          lastErrorAt: info.last_error_date === undefined ? null : new Date(info.last_error_date * 1_000),
        };
      }),
  };
}

/** Telegram's no, and its silence, as values; grammy keeps the token out of both. */
async function told<T>(call: () => Promise<T>): Promise<T | TelegramRefused | TelegramUnreachable> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof HttpError) return { kind: "unreachable", reason: error.message };
    const refusal = error instanceof GrammyError ? refusalSchema.safeParse(error) : null;
    // A proxy's own words, or another server's, over which grammY may stumble.
    if (!refusal?.success) return { kind: "unreachable", reason: "the answer is none of Telegram's" };
    const { error_code: code, description } = refusal.data;
    // Too many questions, or trouble of Telegram's own, say nothing about the token.
    const isNoAnswer = code >= 500 || code === 429;
    return { kind: isNoAnswer ? "unreachable" : "refused", reason: description };
  }
}
