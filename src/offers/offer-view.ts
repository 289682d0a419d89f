import { and, asc, eq, gt, max, type SQL } from "drizzle-orm";
import { isBotNamed } from "../bots/bot-view.ts";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { type AskedPage, type Page, pageOf } from "../platform/pagination.ts";

/** An offer as operators see it, ready for JSON. */
export interface OfferView {
  readonly id: number;
  /** Username of the bot that sells it. */
  readonly bot: string;
  readonly name: string;
  readonly description: string;
  /** Whole minor units of the currency; whole Stars for XTR. */
  readonly price_minor: number;
  readonly currency: string;
  readonly provider: string;
  readonly delivery: string;
  readonly position: number;
  readonly enabled: boolean;
  readonly created_at: string;
  readonly updated_at: string;
}

/** The offer of that number, or null. */
export async function findOfferView(reader: Reader, tables: Tables, id: number): Promise<OfferView | null> {
  const [view] = await offerViews(reader, tables, eq(tables.offers.id, id), 1);
  return view ?? null;
}

/** The number of the offer that was made last; 0 where there is none. */
export async function newestOffer(reader: Reader, { offers }: Tables): Promise<number> {
  const [newest] = await reader.select({ id: max(offers.id) }).from(offers);
  return newest?.id ?? 0;
}

/** Offers in the order they were made, of one bot or of all. */
export async function listOffers(
  reader: Reader,
  tables: Tables,
  { bot, cursor, limit }: AskedPage & { readonly bot?: string | undefined },
): Promise<Page<OfferView>> {
  const { offers } = tables;
  const views = await offerViews(
    reader,
    tables,
    and(gt(offers.id, cursor ?? 0), bot === undefined ? undefined : isBotNamed(tables, bot)),
    limit + 1,
  );
  return pageOf(views, limit, ({ id }) => id);
}

async function offerViews(
  reader: Reader,
  { offers, bots }: Tables,
  condition: SQL | undefined,
  limit: number,
): Promise<OfferView[]> {
  const rows = await reader
    .select({ offer: offers, bot: bots.username })
    .from(offers)
    .innerJoin(bots, eq(bots.id, offers.botId))
    .where(condition)
    .orderBy(asc(offers.id))
    .limit(limit);
  return rows.map(({ offer, bot }) => ({
    id: offer.id,
    bot,
    name: offer.name,
    description: offer.description,
    price_minor: offer.priceMinor,
    currency: offer.currency,
    provider: offer.provider,
    delivery: offer.delivery,
    position: offer.position,
    enabled: offer.enabled,
    created_at: offer.createdAt.toISOString(),
    updated_at: offer.updatedAt.toISOString(),
  }));
}
