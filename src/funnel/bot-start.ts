import { z } from "zod";
import { findBotRow } from "../pools/bot-view.ts";
import { isTrackingToken } from "../tracking/session.ts";
import { telegramUserIdSchema } from "../tracking/telegram-user-id.ts";
import { recordStart, type StartDeps, type Started } from "./record-start.ts";
import { noteUpdate } from "./turn.ts";

/** Room for Telegram's names, which have no documented limit below a message's. */
const name = z
  .string()
  .max(256)
  .regex(/^[^\0\p{Cs}]*$/u, "must be well-formed text without NUL")
  .nullable()
  .optional();

/** `POST /api/bot/start`: an operator's own bot says that somebody pressed /start. */
export const botStartSchema = z
  .strictObject({
    bot: z
      .string()
      .trim()
      .regex(/^@?[A-Za-z0-9_]{5,32}$/, "must be the bot's username")
      .meta({ examples: ["my_shop_bot"] }),
    telegram_user_id: telegramUserIdSchema,
    /** What came after `/start`, as it came: one that is no visit's is an organic start. */
    tracking_token: z.string().max(256).nullable().optional(),
    username: name,
    first_name: name,
    language_code: name,
    update_id: z.int().nonnegative().optional(),
  })
  .meta({
    example: {
      bot: "my_shop_bot",
      telegram_user_id: "123456789",
      tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
      first_name: "Ana",
    },
  });

export type BotStart = z.output<typeof botStartSchema>;

export type BotStarted =
  | { readonly kind: "unknown_bot" }
  | { readonly kind: "started"; readonly isFirst: boolean; readonly answer: StartAnswer };

const maybe = z.string().nullable();

/** What the operator's bot may want to know of who came, and from where. */
export const startAnswerSchema = z.strictObject({
  bot: z.string(),
  bot_user_id: z.int(),
  telegram_user_id: z.string(),
  tracking_token: maybe.describe(
    "The visit of this start, else the latest one known of the person; null where they came without one.",
  ),
  first_token: maybe,
  pool: maybe,
  session: z
    .strictObject({
      created_at: z.string(),
      fbclid: maybe,
      fbc: maybe,
      fbp: maybe,
      utm_source: maybe,
      utm_campaign: maybe,
      utm_medium: maybe,
      utm_content: maybe,
      utm_term: maybe,
      params: z.record(z.string(), z.string()),
      event_source_url: maybe,
    })
    .nullable()
    .describe("The visit of tracking_token; null where there is none, or it is not in the database yet."),
});

export type StartAnswer = z.output<typeof startAnswerSchema>;

/** Records the start as the webhook would, but greets nobody: that is the operator's bot's part. */
export function startFromOutside(
  deps: StartDeps & { readonly now: () => Date },
  input: BotStart,
): Promise<BotStarted> {
  const { db } = deps;
  return db.transaction(async (tx) => {
    const at = deps.now();
    const bot = await findBotRow(tx, db.tables, input.bot);
    if (bot === undefined) return { kind: "unknown_bot" };
    const isCopy =
      input.update_id !== undefined && !(await noteUpdate(tx, db.tables, bot.id, input.update_id, at));
    const person = {
      telegramUserId: input.telegram_user_id,
      username: input.username,
      firstName: input.first_name,
      languageCode: input.language_code,
    };
    const token = input.tracking_token?.trim() ?? "";
    // A copy that comes late must not make an older visit the latest one.
    const usable = isTrackingToken(token) && !isCopy ? token : null;
    const started = await recordStart(deps, tx, bot, person, usable, at);
    return { kind: "started", isFirst: started.isFirst, answer: answerOf(bot.username, started) };
  });
}

function answerOf(bot: string, { botUser, session, pool, trackingToken }: Started): StartAnswer {
  return {
    bot,
    bot_user_id: botUser.id,
    telegram_user_id: botUser.telegramUserId,
    tracking_token: trackingToken,
    first_token: botUser.firstToken,
    pool: pool?.slug ?? null,
    session: session && {
      created_at: session.createdAt.toISOString(),
      fbclid: session.fbclid,
      fbc: session.fbc,
      fbp: session.fbp,
      utm_source: session.utmSource,
      utm_campaign: session.utmCampaign,
      utm_medium: session.utmMedium,
      utm_content: session.utmContent,
      utm_term: session.utmTerm,
      params: { ...session.params },
      event_source_url: session.eventSourceUrl,
    },
  };
}
