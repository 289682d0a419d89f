import { Api, GrammyError, HttpError } from "grammy";
import type { BotApi, TelegramRefused, TelegramUnreachable } from "./bot-api.ts";

const TIMEOUT_SECONDS = 10;

/** What the funnel understands; Telegram sends nothing else then. */
const ALLOWED_UPDATES = ["message", "callback_query", "pre_checkout_query", "my_chat_member"] as const;

/** Bot management's side of Telegram's Bot API at `apiRoot`, e.g. `https://api.telegram.org`. */
export function telegramBotApi(apiRoot: string): BotApi {
  const of = (token: string) => new Api(token, { apiRoot, timeoutSeconds: TIMEOUT_SECONDS });
  return {
    identify: (token) =>
      told(async () => {
        const me = await of(token).getMe();
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
        const info = await of(token).getWebhookInfo();
        return {
          kind: "known",
          url: info.url ?? "",
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
    if (error instanceof GrammyError) {
      // Too many questions, or trouble of Telegram's own, say nothing about the token.
      const isNoAnswer = error.error_code >= 500 || error.error_code === 429;
      return { kind: isNoAnswer ? "unreachable" : "refused", reason: error.description };
    }
    if (error instanceof HttpError) return { kind: "unreachable", reason: error.message };
    throw error;
  }
}
