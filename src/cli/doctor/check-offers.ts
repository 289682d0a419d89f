import { findBot } from "../../bots/bot-view.ts";
import type { PaymentsConfig } from "../../config/payments.ts";
import type { Database } from "../../db/database.ts";
import { listOffers } from "../../offers/offer-view.ts";
import { nobodyTakes } from "../../offers/payable.ts";
import { allPages } from "../pages.ts";
import { count } from "../print.ts";
import { type Finding, good, warning } from "./finding.ts";

/** Whether somebody takes the money for everything that is for sale. */
export async function checkOffers(db: Database, payments: PaymentsConfig): Promise<Finding[]> {
  const offers = (await allPages((page) => listOffers(db, db.tables, page))).filter(({ enabled }) => enabled);
  const findings: Finding[] = [];
  for (const offer of offers) {
    const bot = await findBot(db, db.tables, offer.bot);
    const fault = bot && nobodyTakes(offer, bot, payments);
    if (fault) findings.push(warning(`offer ${offer.id}`, `${offer.name}: ${fault.why}`, fault.todo));
  }
  return findings.length > 0 ? findings : [good("offers", `${count(offers.length, "offer")} for sale`)];
}
