import { eq } from "drizzle-orm";
import { Bot, BotError, type Composer } from "grammy";
import type { Update, UserFromGetMe } from "grammy/types";
import type { BotRow } from "../bots/bot-view.ts";
import type { Database } from "../db/database.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import { LARGEST_BODY_BYTES, readBody } from "../platform/body.ts";
import { equalInConstantTime } from "../platform/digests.ts";
import { problem, serviceUnavailable } from "../platform/problem.ts";
import type { Secrets } from "../platform/secrets.ts";
import { type ConversationDeps, createTurn, type FunnelContext } from "./turn.ts";
import { readUpdate } from "./update.ts";

export interface WebhookDeps extends ConversationDeps {
  readonly secrets: Secrets;
}

/**
 * Takes one update from Telegram. 200 only after its effects are committed, so that whatever else happens Telegram
 * sends it again; copies change nothing. Nothing in here waits for another server.
 */
export async function takeUpdate(
  deps: WebhookDeps,
  conversation: Composer<FunnelContext>,
  request: Request,
  botId: string,
): Promise<Response> {
  try {
    const bot = await withDatabaseDeadline(deps.db, ANSWER_MS, findWebhookBot(deps.db, botId));
    if (bot === null) return problem(404, { detail: "No bot of ours has this webhook." });
    const secret = deps.secrets.open(bot.webhookSecret, "bots.webhook_secret");
    const given = request.headers.get("x-telegram-bot-api-secret-token");
    if (given === null || !equalInConstantTime(given, secret)) {
      return problem(401, { detail: "The secret token is not this bot's." });
    }
    const body = await readBody(request, LARGEST_BODY_BYTES);
    if (body.kind === "refused") return body.response();
    const reading = readUpdate(body.text);
    if (reading.kind === "malformed") {
      return problem(400, { detail: "This is no update of the Bot API.", errors: reading.errors });
    }
    const reply = await withDatabaseDeadline(
      deps.db,
      ANSWER_MS,
      converse(deps, conversation, bot, reading.update),
    );
    return new Response(reply, {
      headers: reply === null ? {} : { "content-type": "application/json" },
    });
  } catch (error) {
    const cause = error instanceof BotError ? error.error : error;
    deps.log.error(
      { error: cause, bot: botId, todo: deps.db.advice(cause) },
      "an update could not be handled; Telegram sends it again",
    );
    return serviceUnavailable("Nothing was stored. Send it again in a moment.");
  }
}

type WebhookBot = BotRow & { readonly webhookSecret: string };

/** Null where there is none, or its updates go elsewhere. */
async function findWebhookBot(db: Database, id: string): Promise<WebhookBot | null> {
  if (!/^[1-9]\d{0,14}$/.test(id)) return null;
  const { bots } = db.tables;
  const [bot] = await db
    .select()
    .from(bots)
    .where(eq(bots.id, Number(id)));
  return bot && bot.webhookSecret !== null ? { ...bot, webhookSecret: bot.webhookSecret } : null;
}

/** Runs the conversation; resolves to the Bot API call that Telegram finds in our answer, or null. */
async function converse(
  deps: ConversationDeps,
  conversation: Composer<FunnelContext>,
  row: BotRow,
  update: Update,
): Promise<string | null> {
  const bot = new Bot<FunnelContext>("kept-out-of-the-webhook", {
    botInfo: botInfo(row),
    client: { canUseWebhookReply: () => true, fetch: refuseNetwork },
  });
  const turn = createTurn(deps, row, update.update_id);
  bot.use((ctx, next) => {
    ctx.turn = turn;
    return next();
  }, conversation);
  let reply: string | null = null;
  await bot.handleUpdate(update, {
    send: (call) => {
      reply = call;
    },
  });
  return reply;
}

/** One call fits into a webhook's answer; a second one would go out by itself. */
async function refuseNetwork(): Promise<never> {
  throw new Error("the webhook makes no request of its own: send it through the outbox");
}

/** What `getMe` says, as far as it matters for reading updates. */
function botInfo({ id, telegramId, username }: BotRow): UserFromGetMe {
  return {
    id: Number(telegramId ?? id),
    is_bot: true,
    first_name: username,
    username,
    can_join_groups: false,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
    supports_join_request_queries: false,
  };
}
