import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { keptStatement } from "../db/kept.ts";
import type { ClaimedRow } from "../outbox/destination.ts";

/** Opens the last error of a message that waits because Telegram wants quiet in its chat. */
export const CHAT_RESTS = "its chat rests: ";

/** How long an earlier message to the same chat still waits for quiet: this one must not overtake it. 0: none does. */
export async function chatRestMs(db: Database, { id }: ClaimedRow): Promise<number> {
  const [found] = await db.rows<{ restMs: number | null }>(EARLIER(db.dialect), { id });
  return Math.max(0, Math.ceil(found?.restMs ?? 0));
}

/**
 * Whose quiet a 429 asks for. Telegram limits messages to one chat (about one a second) and a bot's messages
 * altogether, and says the same for both (Bot FAQ, "My bot is hitting limits"). So it is taken for the chat's, unless
 * another chat of the bot rests already and nothing has got through since; then, or where nobody knows whose chat it
 * is, it is the bot's.
 */
export async function whoseQuiet(
  db: Database,
  route: string,
  botId: number,
  { id }: ClaimedRow,
): Promise<"chat" | "bot"> {
  const values = { id, route, bot: String(botId), lanes: `${botId}/%` };
  const [mine] = await db.rows<{ hasPerson: boolean | 0 | 1; isOneOfMany: boolean | 0 | 1 }>(
    MINE(db.dialect),
    values,
  );
  return mine?.hasPerson && !mine.isOneOfMany ? "chat" : "bot";
}

const value = sql.placeholder;

/** Of `outbox_progress p`, what waits for its chat. */
const RESTS = (now: SQL) =>
  sql`p.status = 'pending' and p.available_at > ${now} and p.last_error like ${sql.raw(`'${CHAT_RESTS}%'`)}`;

const EARLIER = keptStatement(
  ({ epochMs, now }) => sql`
    select ${epochMs(sql`max(p.available_at)`)} - ${epochMs(now)} as "restMs"
    from outbox_events mine
    join outbox_events e on e.bot_user_id = mine.bot_user_id and e.id < mine.id
    join outbox_progress p on p.id = e.id
    where mine.id = ${value("id")} and ${RESTS(now)}`,
);

const MINE = keptStatement(
  ({ now }) => sql`
    select mine.bot_user_id is not null as "hasPerson",
      exists (
        select 1 from outbox_progress p join outbox_events e on e.id = p.id
        where p.destination = 'telegram' and (p.route = ${value("bot")} or p.route like ${value("lanes")})
          and ${RESTS(now)} and e.bot_user_id <> mine.bot_user_id
      ) and exists (
        select 1 from outbox_routes r
        where r.destination = 'telegram' and r.route = ${value("route")} and r.throttles > 0
      ) as "isOneOfMany"
    from outbox_events mine where mine.id = ${value("id")}`,
);
