/** What bot management asks of Telegram; the processes hand in the real client. */
export interface BotApi {
  /** Whose token it is. */
  identify(token: string): Promise<Identity>;
  /** Tells Telegram where to send the bot's updates, with the secret that each will carry. */
  setWebhook(token: string, webhook: { readonly url: string; readonly secret: string }): Promise<CallResult>;
  /** Takes the bot's webhook back. */
  deleteWebhook(token: string): Promise<CallResult>;
  webhookInfo(token: string): Promise<WebhookInfo>;
}

export type Identity =
  | { readonly kind: "known"; readonly telegramId: string; readonly username: string }
  | TelegramRefused
  | TelegramUnreachable;

type CallResult = { readonly kind: "done" } | TelegramRefused | TelegramUnreachable;

type WebhookInfo =
  | {
      readonly kind: "known";
      /** Empty where none is set. */
      readonly url: string;
      readonly waiting: number;
      /** Telegram's words on its last failed delivery to us. */
      readonly lastError: string | null;
      readonly lastErrorAt: Date | null;
    }
  | TelegramRefused
  | TelegramUnreachable;

/** Telegram answered, and said no; `reason` in its words. */
export interface TelegramRefused {
  readonly kind: "refused";
  readonly reason: string;
}

/** No usable answer came. */
export interface TelegramUnreachable {
  readonly kind: "unreachable";
  readonly reason: string;
}
