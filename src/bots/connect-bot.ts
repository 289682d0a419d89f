import { recordAudit } from "../audit/audit-log.ts";
import type { Database } from "../db/database.ts";
import { withDeadline } from "../platform/deadline.ts";
import { errorText } from "../platform/errors.ts";
import { openSealed } from "../platform/open-sealed.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { BotApi } from "./bot-api.ts";
import { botToken } from "./bot-token.ts";
import { type BotRow, findBotRow } from "./bot-view.ts";

/** What managing bots works with. */
export interface BotDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly now: () => Date;
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
  | { readonly kind: "failed"; readonly reason: string }
  /** The token was taken away, and Telegram did not take the webhook back. */
  | { readonly kind: "still_set"; readonly reason: string };

/** What comes of setting a bot's webhook again. */
type Connected = Exclude<WebhookState, { kind: "as_before" | "still_set" }>;
type ConnectResult = Connected | { readonly kind: "not_found" };

/** What became of the webhook at Telegram of a bot that was removed, or whose token was. */
export type WebhookRemoval =
  | { readonly kind: "unset" }
  /** There is none, or it leads elsewhere: to another bot of ours with this token, or to whoever runs it now. */
  | { readonly kind: "not_its_own" }
  | { readonly kind: "failed"; readonly reason: string };

/** How long whoever removes a bot or its token waits for Telegram. */
const REMOVAL_MS = 3_000;

/** Where a bot's updates come in. */
export function webhookUrl(publicUrl: string, botId: number): string {
  return `${publicUrl}/telegram/${botId}`;
}

/** Sets the bot's webhook at Telegram from what is stored. Safe to repeat. */
export async function connectBot(deps: BotDeps, username: string): Promise<ConnectResult> {
  const row = await findBotRow(deps.db, deps.db.tables, username);
  return row === undefined ? { kind: "not_found" } : setWebhook(deps, row);
}

/** The same at an operator's wish, e.g. after PUBLIC_URL changed: it is written down. */
export async function reconnectBot(deps: BotDeps, actor: string, username: string): Promise<ConnectResult> {
  const { db, now } = deps;
  const row = await findBotRow(db, db.tables, username);
  if (row === undefined) return { kind: "not_found" };
  const state = await setWebhook(deps, row);
  if (state.kind === "set") {
    const after = { webhook: state.url };
    const entry = { at: now(), actor, action: "bot.connect", subject: `bot:${row.username}`, after };
    await db.transaction((tx) => recordAudit(tx, db.tables, entry));
  }
  return state;
}

async function setWebhook({ secrets, telegram, publicUrl }: BotDeps, row: BotRow): Promise<Connected> {
  const token = botToken(secrets, row);
  if (token.kind === "sealed") return { kind: "failed", reason: token.reason };
  if (token.kind === "no_token" || row.webhookSecret === null) return { kind: "no_token" };
  if (publicUrl === undefined) return { kind: "no_public_url" };
  const secret = openSealed(secrets, row.webhookSecret, "bots.webhook_secret");
  if (secret.kind === "sealed") return { kind: "failed", reason: secret.reason };
  const url = webhookUrl(publicUrl, row.id);
  const result = await telegram.setWebhook(token.token, { url, secret: secret.text });
  return result.kind === "done" ? { kind: "set", url } : { kind: "failed", reason: result.reason };
}

/** Takes a bot's webhook back, where it leads to that bot: `row` is how it was. Never throws, and never takes long. */
export async function disconnectBot(deps: BotDeps, row: BotRow): Promise<WebhookRemoval> {
  try {
    return await withDeadline(unsetWebhook(deps, row), REMOVAL_MS, "Telegram");
  } catch (error) {
    return { kind: "failed", reason: errorText(error) };
  }
}

async function unsetWebhook({ secrets, telegram, publicUrl }: BotDeps, row: BotRow): Promise<WebhookRemoval> {
  const token = botToken(secrets, row);
  if (token.kind === "sealed") return { kind: "failed", reason: token.reason };
  if (token.kind === "no_token") return { kind: "not_its_own" };
  const info = await telegram.webhookInfo(token.token);
  if (info.kind !== "known") return { kind: "failed", reason: info.reason };
  if (!info.url.endsWith(webhookUrl("", row.id))) return { kind: "not_its_own" };
  if (publicUrl === undefined) {
    // Another installation may have given the bot the same number.
    const reason = `it leads to ${info.url}, and PUBLIC_URL is not set to tell whether that is here`;
    return { kind: "failed", reason };
  }
  if (info.url !== webhookUrl(publicUrl, row.id)) return { kind: "not_its_own" };
  const result = await telegram.deleteWebhook(token.token);
  return result.kind === "done" ? { kind: "unset" } : { kind: "failed", reason: result.reason };
}
