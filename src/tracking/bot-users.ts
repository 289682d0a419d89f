import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { firstFutureToken } from "./tracking-token.ts";

/** A person in a bot. */
export type BotUser = Tables["botUsers"]["$inferSelect"];

/** A person as Telegram, or an operator's own bot, names them. */
export interface Person {
  readonly telegramUserId: string;
  readonly username?: string | null | undefined;
  readonly firstName?: string | null | undefined;
  readonly languageCode?: string | null | undefined;
}

/** A person in one of the bots, and the visit that they came by, where they came by one. */
interface PersonInBot {
  readonly botId: number;
  readonly person: Person;
  readonly trackingToken: string | null;
}

/** The person of that row number; null where it names nobody. */
export async function findBotUser(
  reader: Reader,
  tables: Tables,
  botUserId: number | null,
): Promise<BotUser | null> {
  if (botUserId === null) return null;
  const { botUsers } = tables;
  const [user] = await reader.select().from(botUsers).where(eq(botUsers.id, botUserId));
  return user ?? null;
}

/** Whether a row of `bot_users` is that person's in that bot. */
export function isPersonInBot(
  { botUsers }: Tables,
  { botId, telegramUserId }: Pick<BotUser, "botId" | "telegramUserId">,
): SQL | undefined {
  return and(eq(botUsers.botId, botId), eq(botUsers.telegramUserId, telegramUserId));
}

/**
 * The bot's row of a person, made or brought up to date: a name that is not given erases none. Of the tracking tokens that
 * the person came by, the first and the latest visit's are kept: tokens begin with their time, so that it does not matter
 * in which order we hear of them. One of a time to come, which a clock that was ahead made, gives way to whichever comes.
 */
export async function saveBotUser(
  tx: Tx,
  { botUsers }: Tables,
  { botId, person, trackingToken }: PersonInBot,
  now: Date,
): Promise<BotUser> {
  const kept = (column: string) => sql.raw(`coalesce(excluded.${column}, bot_users.${column})`);
  // The smaller or the greater of the new token and the old one; the other where one is missing.
  const ofBoth = (column: string, isNewOne: SQL) =>
    sql`case when ${isNewOne} then ${sql.raw(`excluded.${column}`)} else ${sql.raw(`coalesce(bot_users.${column}, excluded.${column})`)} end`;
  const future = firstFutureToken(now);
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
        firstToken: ofBoth("first_token", sql`excluded.first_token < bot_users.first_token`),
        latestToken: ofBoth(
          "latest_token",
          sql`excluded.latest_token > bot_users.latest_token
            or (bot_users.latest_token >= ${future} and excluded.latest_token is not null)`,
        ),
        updatedAt: now,
      },
    })
    .returning();
  if (!user) throw new Error(`a person of bot ${botId} could not be saved`);
  return user;
}
