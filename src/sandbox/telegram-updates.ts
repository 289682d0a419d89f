import { isJsonObject, type JsonObject, parseJson } from "./json.ts";
import type { Bot } from "./telegram-bots.ts";

/** How pushing one update to a bot's webhook ended. */
type UpdateDelivery =
  | {
      readonly kind: "answered";
      readonly update_id: number;
      readonly status: number;
      readonly body: string;
      /** The Bot API call in the webhook's answer, where there is one: Telegram carries it out. */
      readonly call: { readonly method: string; readonly params: JsonObject } | null;
    }
  | { readonly kind: "no_webhook" }
  | { readonly kind: "not_allowed"; readonly updateKind: string }
  | { readonly kind: "unreachable"; readonly reason: string };

/** Bot API: these kinds come only where `allowed_updates` names them. */
const ONLY_ON_REQUEST: ReadonlySet<string> = new Set([
  "chat_member",
  "message_reaction",
  "message_reaction_count",
]);

const WEBHOOK_TIMEOUT_MS = 60_000;

/**
 * POSTs an update to the bot's webhook as Telegram would, with the secret header. An update without an
 * `update_id` gets the bot's next one. One attempt: repeating is the caller's choice, so that tests stay in charge.
 */
export async function deliverUpdate(
  bot: Bot,
  update: JsonObject,
  nowSeconds: number,
): Promise<UpdateDelivery> {
  const webhook = bot.webhook;
  if (webhook === null) return { kind: "no_webhook" };
  const updateKind = Object.keys(update).find((key) => key !== "update_id") ?? "";
  if (!isAllowed(updateKind, webhook.allowedUpdates)) return { kind: "not_allowed", updateKind };
  const updateId = typeof update.update_id === "number" ? update.update_id : bot.nextUpdateId;
  bot.nextUpdateId = Math.max(bot.nextUpdateId, updateId + 1);
  const fail = (message: string) => {
    webhook.lastError = { atSeconds: nowSeconds, message };
  };
  try {
    const response = await fetch(webhook.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(webhook.secretToken !== null && { "x-telegram-bot-api-secret-token": webhook.secretToken }),
      },
      body: JSON.stringify({ ...update, update_id: updateId }),
      redirect: "manual",
      signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
    });
    const body = await response.text();
    if (!response.ok) fail(`Wrong response from the webhook: ${response.status} ${response.statusText}`);
    return {
      kind: "answered",
      update_id: updateId,
      status: response.status,
      body,
      call: response.ok ? callInAnswer(body) : null,
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail(reason);
    return { kind: "unreachable", reason };
  }
}

function isAllowed(updateKind: string, allowed: readonly string[]): boolean {
  return allowed.length === 0 ? !ONLY_ON_REQUEST.has(updateKind) : allowed.includes(updateKind);
}

function callInAnswer(body: string) {
  const answer = parseJson(body);
  if (!isJsonObject(answer) || typeof answer.method !== "string") return null;
  const { method, ...params } = answer;
  return { method, params };
}
