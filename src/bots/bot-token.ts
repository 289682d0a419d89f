import { randomBytes } from "node:crypto";
import { openSealed, type Sealed } from "../platform/open-sealed.ts";
import { type Invalid, invalid } from "../platform/parse-input.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { BotApi } from "./bot-api.ts";
import type { BotRow } from "./bot-view.ts";

/** What Telegram says of a token that is to be a bot's. */
export type TokenCheck =
  | { readonly kind: "verified"; readonly telegramId: string; readonly username: string }
  | Invalid
  | { readonly kind: "telegram_unreachable"; readonly reason: string };

/**
 * Asks Telegram (`getMe`) whether the token is good, and whether it is this bot's: by its name or its number. A bot whose
 * old token was refused may have been renamed meanwhile; its name follows once its health is checked.
 */
export async function checkToken(
  telegram: Pick<BotApi, "identify">,
  { username, telegramId }: { readonly username: string; readonly telegramId: string | null },
  token: string,
): Promise<TokenCheck> {
  const identity = await telegram.identify(token);
  switch (identity.kind) {
    case "unreachable":
      return { kind: "telegram_unreachable", reason: identity.reason };
    case "refused":
      return invalid("token", `Telegram refuses this token: ${identity.reason}`);
    case "known":
      return identity.telegramId === telegramId || identity.username.toLowerCase() === username.toLowerCase()
        ? { kind: "verified", telegramId: identity.telegramId, username: identity.username }
        : invalid("token", `this token belongs to @${identity.username}, not to @${username}`);
  }
}

/** A bot's token, opened, or why there is none to use. */
export function botToken(
  secrets: Secrets,
  { token }: Pick<BotRow, "token">,
): { readonly kind: "ready"; readonly token: string } | { readonly kind: "no_token" } | Sealed {
  if (token === null) return { kind: "no_token" };
  const opened = openSealed(secrets, token, "bots.token");
  return opened.kind === "opened" ? { kind: "ready", token: opened.text } : opened;
}

/**
 * The columns of a verified token. A webhook secret that is there and opens stays, so that a webhook in use goes on
 * working.
 */
export function tokenColumns(
  token: string,
  telegramId: string,
  secrets: Secrets,
  currentSecret: string | null,
): Pick<BotRow, "token" | "webhookSecret" | "telegramId" | "healthy" | "healthReason"> {
  const isUsable =
    currentSecret !== null && openSealed(secrets, currentSecret, "bots.webhook_secret").kind === "opened";
  return {
    token: secrets.seal(token, "bots.token"),
    webhookSecret: isUsable
      ? currentSecret
      : secrets.seal(randomBytes(32).toString("base64url"), "bots.webhook_secret"),
    telegramId,
    healthy: true,
    healthReason: null,
  };
}
