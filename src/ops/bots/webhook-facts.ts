import type { WebhookFacts } from "../../../views/ops/bot-data.ts";
import { type BotWebhook, type ConnectedWebhook, isFailing } from "../../bots/bot-webhook.ts";
import type { WebhookRemoval, WebhookState } from "../../bots/connect-bot.ts";

/** What Telegram says of a bot's webhook, in the operator's words. */
export function webhookFacts(webhook: BotWebhook): WebhookFacts {
  switch (webhook.kind) {
    case "connected":
      return connected(webhook);
    case "elsewhere":
      return {
        tone: "bad",
        short: webhook.url === "" ? "not set" : "elsewhere",
        title: webhook.url === "" ? "The webhook is not set" : "The bot's updates go elsewhere",
        text: [
          webhook.url === "" ? "" : `To ${webhook.url}.`,
          webhook.expected === null
            ? "PUBLIC_URL is not set, so Telegram cannot be told where to send them."
            : `Set the webhook again, and they come to ${webhook.expected}.`,
        ]
          .join(" ")
          .trim(),
      };
    case "no_token":
      return {
        tone: "idle",
        short: "not ours",
        title: "The bot has no token",
        text: "Its updates are not ours. Save its token above, and they are.",
      };
    case "sealed":
      return {
        tone: "bad",
        short: "token sealed",
        title: "The token cannot be opened",
        text: `${webhook.reason}. Save the bot's token again.`,
      };
    case "refused":
      return {
        tone: "bad",
        short: "refused",
        title: "Telegram refuses the token",
        text: `${webhook.reason}. Save a new one above.`,
      };
    case "unreachable":
      return {
        tone: "warn",
        short: "no answer",
        title: "Telegram did not answer",
        text: webhook.reason,
      };
  }
}

function connected(webhook: ConnectedWebhook): WebhookFacts {
  const { waiting, lastError, lastErrorAt } = webhook;
  const held = `${waiting === 1 ? "1 update waits" : `${waiting} updates wait`} at Telegram.`;
  if (lastError === null)
    return { tone: "good", short: "connected", title: "The bot's updates come here", text: held };
  const isOver = !isFailing(webhook);
  return {
    tone: isOver ? "good" : "warn",
    short: isOver ? "connected" : "failing",
    title: isOver ? "The bot's updates come here" : "Telegram fails to reach this server",
    text: `${held} Last failure, ${lastErrorAt?.toISOString() ?? "at an unknown time"}: ${lastError}`,
  };
}

/** What to say once a bot was saved or its webhook set: `done`, and what became of the webhook. */
export function webhookNote(
  done: string,
  webhook: WebhookState,
): { readonly text: string; readonly tone: "good" | "warn" } {
  switch (webhook.kind) {
    case "set":
      return { tone: "good", text: `${done} Telegram sends its updates here.` };
    case "as_before":
      return { tone: "good", text: done };
    case "no_token":
      return { tone: "good", text: `${done} It has no token, so its updates are not ours.` };
    case "no_public_url":
      return {
        tone: "warn",
        text: `${done} Its webhook is not set: set PUBLIC_URL first, then set the webhook again.`,
      };
    case "failed":
      return {
        tone: "warn",
        text: `${done} Its webhook is not set: ${webhook.reason}. Put that right, then set the webhook again.`,
      };
    case "still_set":
      return { tone: "warn", text: `${done} Telegram may still have its webhook: ${webhook.reason}` };
  }
}

/** What to say once a bot was removed. */
export function removalNote(
  username: string,
  webhook: WebhookRemoval,
): { readonly text: string; readonly tone: "good" | "warn" } {
  const done = `@${username} is removed.`;
  return webhook.kind === "failed"
    ? { tone: "warn", text: `${done} Telegram may still have its webhook: ${webhook.reason}` }
    : { tone: "good", text: done };
}
