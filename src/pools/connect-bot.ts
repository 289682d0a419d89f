import { randomBytes } from "node:crypto";
import type { Secrets } from "../platform/secrets.ts";
import type { BotApi } from "./bot-api.ts";
import { type BotRow, findBotRow } from "./bot-view.ts";
import type { ManageDeps } from "./manage-pools.ts";
import type { Issue } from "./rules.ts";

export const BOT_TOKEN_PURPOSE = "bots.token";
export const WEBHOOK_SECRET_PURPOSE = "bots.webhook_secret";
export const PAYMENT_TOKEN_PURPOSE = "bots.payment_token";

export interface BotDeps extends ManageDeps {
  readonly telegram: BotApi;
  /** Where Telegram reaches this installation, e.g. `https://go.example.com`; without it no webhook can be set. */
  readonly publicUrl: string | undefined;
}

/** What became of the bot's webhook. The bot itself is saved in every case. */
export type WebhookState =
  | { readonly kind: "set"; readonly url: string }
  /** Nothing that concerns it changed. */
  | { readonly kind: "as_before" }
  /** The bot has no token: its updates are somebody else's business. */
  | { readonly kind: "no_token" }
  /** PUBLIC_URL is not set, so Telegram cannot be told where to send updates. */
  | { readonly kind: "no_public_url" }
  | { readonly kind: "failed"; readonly reason: string };

export type TokenCheck =
  | { readonly kind: "verified"; readonly telegramId: string; readonly username: string }
  | { readonly kind: "invalid"; readonly issues: readonly Issue[] }
  | { readonly kind: "telegram_unreachable"; readonly reason: string };

/** Asks Telegram (`getMe`) whether the token is good, and whether it is this bot's. */
export async function checkToken(telegram: BotApi, username: string, token: string): Promise<TokenCheck> {
  const identity = await telegram.identify(token);
  switch (identity.kind) {
    case "unreachable":
      return { kind: "telegram_unreachable", reason: identity.reason };
    case "refused":
      return invalidToken(`Telegram refuses this token: ${identity.reason}`);
    case "known":
      return identity.username.toLowerCase() === username.toLowerCase()
        ? { kind: "verified", telegramId: identity.telegramId, username: identity.username }
        : invalidToken(`this token belongs to @${identity.username}, not to @${username}`);
  }
}

/** The columns of a verified token. A webhook secret that is there stays, so that a webhook in use goes on working. */
export function tokenColumns(
  token: string,
  telegramId: string,
  secrets: Secrets,
  currentSecret: string | null,
): Pick<BotRow, "token" | "webhookSecret" | "telegramId" | "healthy" | "healthReason"> {
  return {
    token: secrets.seal(token, BOT_TOKEN_PURPOSE),
    webhookSecret:
      currentSecret ?? secrets.seal(randomBytes(32).toString("base64url"), WEBHOOK_SECRET_PURPOSE),
    telegramId,
    healthy: true,
    healthReason: null,
  };
}

/** Where a bot's updates come in. */
export function webhookUrl(publicUrl: string, botId: number): string {
  return `${publicUrl}/telegram/${botId}`;
}

/** Sets the bot's webhook at Telegram from what is stored, e.g. after PUBLIC_URL changed. Safe to repeat. */
export async function connectBot(
  { db, secrets, telegram, publicUrl }: BotDeps,
  username: string,
): Promise<Exclude<WebhookState, { kind: "as_before" }> | { readonly kind: "not_found" }> {
  const row = await findBotRow(db, db.tables, username);
  if (row === undefined) return { kind: "not_found" };
  if (row.token === null || row.webhookSecret === null) return { kind: "no_token" };
  if (publicUrl === undefined) return { kind: "no_public_url" };
  const url = webhookUrl(publicUrl, row.id);
  const result = await telegram.setWebhook(secrets.open(row.token, BOT_TOKEN_PURPOSE), {
    url,
    secret: secrets.open(row.webhookSecret, WEBHOOK_SECRET_PURPOSE),
  });
  return result.kind === "done" ? { kind: "set", url } : { kind: "failed", reason: result.reason };
}

function invalidToken(message: string): TokenCheck {
  return { kind: "invalid", issues: [{ path: "token", message }] };
}
