import type { Sealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { BotApi, TelegramRefused, TelegramUnreachable } from "./bot-api.ts";
import { botToken } from "./bot-token.ts";
import type { BotRow } from "./bot-view.ts";
import { webhookUrl } from "./connect-bot.ts";

interface BotWebhookDeps {
  readonly secrets: Secrets;
  readonly telegram: Pick<BotApi, "webhookInfo">;
  readonly publicUrl: string | undefined;
}

/** The bot's updates come here. */
export interface ConnectedWebhook {
  readonly kind: "connected";
  /** Updates that Telegram still holds. */
  readonly waiting: number;
  /** Telegram's words on its last failed delivery to us. */
  readonly lastError: string | null;
  readonly lastErrorAt: Date | null;
}

/** Where Telegram sends a bot's updates, as Telegram says. */
export type BotWebhook =
  | ConnectedWebhook
  /** Not here; `url` is empty where no webhook is set, `expected` null while PUBLIC_URL is not set. */
  | { readonly kind: "elsewhere"; readonly url: string; readonly expected: string | null }
  | { readonly kind: "no_token" }
  | Sealed
  | TelegramRefused
  | TelegramUnreachable;

/** Asks Telegram whether the bot's updates come here. Changes nothing. */
export async function askBotWebhook(
  { secrets, telegram, publicUrl }: BotWebhookDeps,
  bot: BotRow,
): Promise<BotWebhook> {
  const token = botToken(secrets, bot);
  if (token.kind !== "ready") return token;
  const info = await telegram.webhookInfo(token.token);
  if (info.kind !== "known") return info;
  const { url, waiting, lastError, lastErrorAt } = info;
  const expected = publicUrl === undefined ? null : webhookUrl(publicUrl, bot.id);
  if (url === "" || url !== expected) return { kind: "elsewhere", url, expected };
  return { kind: "connected", waiting, lastError, lastErrorAt };
}

/** Whether Telegram fails to reach us now: it tells of its last failure long after that was over; with nothing waiting it is. */
export function isFailing({ waiting, lastError }: ConnectedWebhook): boolean {
  return lastError !== null && waiting > 0;
}
