import { type BotRow, type BotView, findBotById } from "../../bots/bot-view.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { notFound } from "../not-found.ts";
import { findById } from "../params.ts";

/** Ends the request: the bot is not there. */
export function noSuchBot(operator: Operator): never {
  return notFound(operator, "bots", "There is no such bot.");
}

/** The bot whose number an address has, with its row, or else the end of the request. */
export async function botAt(
  { db }: OpsDeps,
  operator: Operator,
  id: string,
): Promise<{ readonly row: BotRow; readonly view: BotView }> {
  return (await findById(id, (n) => findBotById(db, db.tables, n))) ?? noSuchBot(operator);
}
