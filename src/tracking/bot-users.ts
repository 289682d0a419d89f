import { eq, sql } from "drizzle-orm";
import type { Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { BotUser } from "./find-session.ts";

/** A person as Telegram, or an operator's own bot, names them. */
export interface Person {
  readonly telegramUserId: string;
  readonly username?: string | null | undefined;
  readonly firstName?: string | null | undefined;
  readonly languageCode?: string | null | undefined;
}

/**
 * The bot's row of a person, made or brought up to date: a name that is not given erases none. A tracking token
 * becomes the latest one, and the first one where there was none.
 */
export async function saveBotUser(
  tx: Tx,
  tables: Tables,
  botId: number,
  person: Person,
  trackingToken: string | null,
  now: Date,
): Promise<BotUser> {
  const { botUsers } = tables;
  const kept = (column: string) => sql.raw(`coalesce(excluded.${column}, bot_users.${column})`);
  const [user] = await tx
    .insert(botUsers)
    .values({
      botId,
      telegramUserId: person.telegramUserId,
      username: person.username ?? null,
      firstName: person.firstName ?? null,
      languageCode: person.languageCode ?? null,
      firstToken: trackingToken,
      latestToken: trackingToken,
      createdAt: now,
      updatedAt: now,
    })
    .onConflictDoUpdate({
      target: [botUsers.botId, botUsers.telegramUserId],
      set: {
        username: kept("username"),
        firstName: kept("first_name"),
        languageCode: kept("language_code"),
        firstToken: sql.raw("coalesce(bot_users.first_token, excluded.first_token)"),
        latestToken: kept("latest_token"),
        updatedAt: now,
      },
    })
    .returning();
  if (!user) throw new Error(`a person of bot ${botId} could not be saved`);
  return user;
}

/** The bot of that username; null where there is none. */
export async function findBot(tx: Tx, { bots }: Tables, username: string) {
  const [bot] = await tx
    .select()
    .from(bots)
    .where(eq(sql`lower(${bots.username})`, username.replace(/^@/, "").toLowerCase()));
  return bot ?? null;
}
