import { asc, count, eq, sql } from "drizzle-orm";
import type { BotLine, OfferLine, PeopleCount } from "../../../views/ops/bot-data.ts";
import type { Piece } from "../../../views/ops/list-data.ts";
import type { BotView } from "../../bots/bot-view.ts";
import type { Database } from "../../db/database.ts";
import { formatMoney } from "../../money/format.ts";
import { listOffers } from "../../offers/offer-view.ts";
import { nobodyTakes } from "../../offers/payable.ts";
import type { OpsDeps } from "../deps.ts";
import { pieceOf } from "../params.ts";

/** People are counted up to here, so that a page costs the same with millions. */
const MOST_PEOPLE = 10_000;
/** More than a bot's message has buttons for. */
const OFFERS_LENGTH = 100;

/** Bots as the list shows them. */
export async function botLines(db: Database, bots: readonly BotView[]): Promise<BotLine[]> {
  return Promise.all(
    bots.map(async ({ id, username, enabled, healthy, has_token, pools }) => ({
      ...{ id, username, enabled, healthy, has_token, pools },
      people: await countPeople(db, id),
    })),
  );
}

/** How many people started the bot. */
export async function countPeople(db: Database, botId: number): Promise<PeopleCount> {
  const { botUsers } = db.tables;
  const some = db
    .select({ one: sql`1`.as("one") })
    .from(botUsers)
    .where(eq(botUsers.botId, botId))
    .limit(MOST_PEOPLE + 1)
    .as("some");
  const [row] = await db.select({ total: count() }).from(some);
  const total = row?.total ?? 0;
  return { total: Math.min(total, MOST_PEOPLE), isMore: total > MOST_PEOPLE };
}

/** The pools that send visitors to the bot, for links. */
export async function poolsOfBot(db: Database, botId: number): Promise<{ id: number; slug: string }[]> {
  const { pools, poolBots } = db.tables;
  return db
    .select({ id: pools.id, slug: pools.slug })
    .from(poolBots)
    .innerJoin(pools, eq(pools.id, poolBots.poolId))
    .where(eq(poolBots.botId, botId))
    .orderBy(asc(poolBots.id));
}

/** A bot's offers by their place; where there are more than a page, by their place within the page. */
export async function offerLines(
  { db, config }: Pick<OpsDeps, "db" | "config">,
  bot: BotView,
  cursor: number | undefined,
): Promise<Piece<OfferLine>> {
  const asked = { cursor, limit: OFFERS_LENGTH };
  const page = await listOffers(db, db.tables, { ...asked, bot: bot.username });
  const lines = page.items
    .toSorted((a, b) => a.position - b.position || a.id - b.id)
    .map((offer) => ({
      ...offer,
      price: formatMoney(offer.price_minor, offer.currency, "en"),
      isPayable: nobodyTakes(offer, bot, config.payments) === null,
    }));
  return pieceOf(asked, page, lines);
}
