import { z } from "zod";
import { USERNAME_FORM } from "../bots/bot-rules.ts";
import { findBotRow } from "../bots/bot-view.ts";
import type { Database, Tx } from "../db/database.ts";
import { despiteDeadlock } from "../db/despite-deadlock.ts";
import { wellFormed } from "../platform/parse-input.ts";
import { findPoolOf } from "../pools/find-pool-of.ts";
import { type BotUser, isPersonInBot } from "../tracking/bot-users.ts";
import { findSession } from "../tracking/find-session.ts";
import { nameIfVisitCame } from "../tracking/name-visits.ts";
import type { RecallVisit } from "../tracking/recall-visit.ts";
import { telegramUserIdSchema } from "../tracking/telegram-user-id.ts";
import { isTrackingToken } from "../tracking/tracking-token.ts";
import { recordStart, type StartDeps, type Started } from "./record-start.ts";
import { noteUpdate } from "./turn.ts";

/** Room for Telegram's names, which have no documented limit below a message's. */
const name = wellFormed.max(256).nullable().optional();

/** `POST /api/bot/start`: an operator's own bot says that somebody pressed /start. */
export const botStartSchema = z
  .strictObject({
    bot: z
      .string()
      .trim()
      .regex(USERNAME_FORM, "must be the bot's username")
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

type BotStart = z.output<typeof botStartSchema>;

type BotStarted =
  | { readonly kind: "unknown_bot" }
  | { readonly kind: "started"; readonly isFirst: boolean; readonly answer: StartAnswer };

const maybe = z.string().nullable();

/** What the operator's bot may want to know of who came, and from where. */
export const startAnswerSchema = z.strictObject({
  bot: z.string(),
  bot_user_id: z
    .int()
    .nullable()
    .describe("Null only where the update came before, and its person was erased since."),
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

type StartAnswer = z.output<typeof startAnswerSchema>;

/** What is known of a person; no row where they were erased. */
type Known = Pick<Started, "session" | "pool" | "trackingToken" | "isFirst"> & {
  readonly botUser: BotUser | null;
};

/** Records the start as the webhook would, but greets nobody: that is the operator's bot's part. */
export async function startFromOutside(
  deps: StartDeps & { readonly now: () => Date; readonly recallVisit: RecallVisit },
  input: BotStart,
): Promise<BotStarted> {
  const { db } = deps;
  const given = input.tracking_token?.trim() ?? "";
  const token = isTrackingToken(given) ? given : null;
  if (token !== null) await deps.recallVisit(token);
  const started = await despiteDeadlock(() => db.transaction((tx) => start(deps, tx, input, token)));
  if (token !== null) await nameIfVisitCame(db, token);
  return started;
}

async function start(
  deps: StartDeps & { readonly now: () => Date },
  tx: Tx,
  input: BotStart,
  token: string | null,
): Promise<BotStarted> {
  const { db } = deps;
  const at = deps.now();
  const bot = await findBotRow(tx, db.tables, input.bot);
  if (bot === undefined) return { kind: "unknown_bot" };
  const { update_id: updateId } = input;
  const isCopy =
    updateId !== undefined && !(await noteUpdate(tx, db.tables, { botId: bot.id, updateId, createdAt: at }));
  const person = {
    telegramUserId: input.telegram_user_id,
    username: input.username,
    firstName: input.first_name,
    languageCode: input.language_code,
  };
  const known = isCopy
    ? await knownOf(tx, db, bot.id, person.telegramUserId)
    : await recordStart(deps, tx, { bot, person, token, now: at });
  const answer = answerOf(bot.username, person.telegramUserId, known);
  return { kind: "started", isFirst: known.isFirst, answer };
}

/** Who was there before a copy of an update came. It writes nothing: nobody who was erased meanwhile comes back by it. */
async function knownOf(tx: Tx, db: Database, botId: number, telegramUserId: string): Promise<Known> {
  const { tables } = db;
  const isTheirs = isPersonInBot(tables, { botId, telegramUserId });
  const [botUser = null] = await tx.select().from(tables.botUsers).where(isTheirs);
  const trackingToken = botUser?.latestToken ?? null;
  const session = await findSession(tx, tables, trackingToken);
  const pool = await findPoolOf(tx, db, { poolId: session?.poolId ?? null, botId });
  return { botUser, session, pool, trackingToken, isFirst: false };
}

function answerOf(
  bot: string,
  telegramUserId: string,
  { botUser, session, pool, trackingToken }: Known,
): StartAnswer {
  return {
    bot,
    bot_user_id: botUser?.id ?? null,
    telegram_user_id: telegramUserId,
    tracking_token: trackingToken,
    first_token: botUser?.firstToken ?? null,
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
