import { type SQL, sql } from "drizzle-orm";
import type { Database, RawNumber } from "../db/database.ts";
import type { Dialect } from "../db/dialect.ts";
import { preparedStatement } from "../db/prepared-statement.ts";
import { CHECKOUT_PROVIDERS } from "../db/vocabulary.ts";
import { LONGEST_THROTTLE_MS } from "../outbox/back-off.ts";
import type { ClaimedRow } from "../outbox/destination.ts";
import { formatRoute, parseRoute } from "../outbox/routes.ts";

/** Opens the last error of a message that waits because Telegram limits its chat. Rows hold it: it stays as it is. */
export const CHAT_LIMITED = "its chat rests: ";

/** Telegram takes about one message a second in a chat (Bot FAQ). */
const INTERVAL_MS = 1_000;
/**
 * How long after it is due an earlier message still goes first, for the whole bot may have been limited. Not for ever: its
 * lane may be paused.
 */
const LATE_MS = 60_000;

/**
 * How long a message waits because earlier ones wait for its chat's rate limit; 0: none does. It must not overtake them, and
 * is due a second after the last: were all due at once, they would hold up every other chat, one after the other. Earlier
 * ones that are in a dispatcher's hands at this moment are about to wait as well.
 */
export async function chatBackOffMs(db: Database, { id }: Pick<ClaimedRow, "id">): Promise<number> {
  const [found] = await db.rows<{ lastInMs: number | null; inHand: RawNumber }>(EARLIER(db.dialect), { id });
  const lastInMs = found?.lastInMs ?? null;
  return lastInMs === null ? 0 : Math.max(0, Math.ceil(lastInMs)) + INTERVAL_MS * (1 + Number(found?.inHand));
}

/**
 * Whose rate limit a 429 tells of: the chat's (`rows`) or the bot's (`account`). Telegram limits messages to one chat
 * (about one a second) and a bot's messages altogether, and says the same for both (Bot FAQ, "My bot is hitting limits").
 * So it is taken for the chat's, unless another chat of the bot is limited already and nothing has got through since;
 * then, or where nobody knows whose chat it is, it is the bot's.
 */
export async function rateLimitScope(
  db: Database,
  route: string,
  { id }: Pick<ClaimedRow, "id">,
): Promise<"rows" | "account"> {
  const values = { id, route, bot: parseRoute(route).account };
  const [mine] = await db.rows<{ hasPerson: boolean | 0 | 1; isOneOfMany: boolean | 0 | 1 }>(
    SCOPE(db.dialect),
    values,
  );
  return mine?.hasPerson && !mine.isOneOfMany ? "rows" : "account";
}

const value = sql.placeholder;

/** All the routes by which a bot may send: its own, and one for each provider of checkouts. */
const routesOfBot = sql.join(
  [null, ...CHECKOUT_PROVIDERS].map(
    (lane) => sql`${value("bot")} || ${sql.raw(`'${formatRoute("", lane)}'`)}`,
  ),
  sql`, `,
);

/** Of `outbox_progress p`, what its chat's limit puts off past the instant; not what a clock that was ahead put off further. */
const isLimitedAfter = (instant: SQL, { now, plusMs }: Dialect) =>
  sql`p.available_at > ${instant} and p.available_at < ${plusMs(now, LONGEST_THROTTLE_MS)}
    and p.last_error like ${sql.raw(`'${CHAT_LIMITED}%'`)}`;

/** Each one's progress is looked up by its key: a join might read the whole table. */
const EARLIER = preparedStatement((dialect) => {
  const { now, plusMs, epochMs } = dialect;
  return sql`
    select ${epochMs(sql`max(due_at)`)} - ${epochMs(now)} as "lastInMs",
      count(in_hand) filter (where due_at is null) as "inHand"
    from (
      select (
        select p.available_at from outbox_progress p
        where p.id = e.id and p.status in ('pending', 'sending') and ${isLimitedAfter(plusMs(now, -LATE_MS), dialect)}
      ) as due_at, (
        select p.id from outbox_progress p where p.id = e.id and p.status = 'sending'
      ) as in_hand
      from outbox_events e
      where e.bot_user_id = (select bot_user_id from outbox_events where id = ${value("id")}) and e.id < ${value("id")}
    ) earlier`;
});

/**
 * First asks whether anything has got through since. Of what waits it reads only what is not due yet, which the index of
 * pending rows finds where it is asked by the names of the routes.
 */
const SCOPE = preparedStatement(
  (dialect) => sql`
    select mine.bot_user_id is not null as "hasPerson",
      exists (
        select 1 from outbox_routes r
        where r.destination = 'telegram' and r.route = ${value("route")} and r.throttles > 0
      ) and exists (
        select 1 from outbox_progress p join outbox_events e on e.id = p.id
        where p.destination = 'telegram' and p.route in (${routesOfBot})
          and p.status = 'pending' and ${isLimitedAfter(dialect.now, dialect)} and e.bot_user_id <> mine.bot_user_id
      ) as "isOneOfMany"
    from outbox_events mine where mine.id = ${value("id")}`,
);
