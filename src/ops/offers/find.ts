import { type BotView, findBot, findBotById } from "../../bots/bot-view.ts";
import { findOfferView, type OfferView } from "../../offers/offer-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { notFound } from "../not-found.ts";
import { findById } from "../params.ts";

/** An offer with the bot that sells it. */
export interface SoldOffer {
  readonly offer: OfferView;
  readonly bot: BotView;
}

/** Ends the request: the offer, or the bot of a new one, is not there. */
export function noSuchOffer(operator: Operator): never {
  return notFound(operator, "bots", "There is no such offer.");
}

/** The offer whose number an address has, or else the end of the request. */
export async function offerAt({ db }: OpsDeps, operator: Operator, id: string): Promise<SoldOffer> {
  const offer = await findById(id, (n) => findOfferView(db, db.tables, n));
  const bot = offer && (await findBot(db, db.tables, offer.bot));
  return offer && bot ? { offer, bot } : noSuchOffer(operator);
}

/** The bot whose number the address of a new offer has, or else the end of the request. */
export async function sellerAt({ db }: OpsDeps, operator: Operator, id: string): Promise<BotView> {
  const bot = await findById(id, (n) => findBotById(db, db.tables, n));
  return bot?.view ?? noSuchOffer(operator);
}
