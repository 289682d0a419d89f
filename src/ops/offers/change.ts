import { z } from "zod";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import type { BotView } from "../../bots/bot-view.ts";
import { createOffer, deleteOffer, updateOffer } from "../../offers/manage-offers.ts";
import { offerChangeSchema, offerDraftSchema } from "../../offers/offer-rules.ts";
import { nobodyTakes } from "../../offers/payable.ts";
import { parseInput } from "../../platform/parse-input.ts";
import type { OpsDeps } from "../deps.ts";
import type { FormFields } from "../form.ts";
import type { Operator } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { overtaken, overtakenText, submit } from "../submit.ts";
import { noSuchOffer, type SoldOffer } from "./find.ts";
import { offerErrors, offerInputOf, readOfferForm } from "./offer-form.ts";
import type { showOffers } from "./show.ts";

/** The form has no field for the bot: it is that of the address, whatever it is called. */
const { bot: _bot, ...draftRules } = offerDraftSchema.shape;
const draftSchema = z.strictObject(draftRules);

const IN_USE = "It was not removed: somebody looked at it or bought it. Turn it off instead.";

/** The forms of offers: each is carried out, or shown again with what is wrong. */
export function changeOffers(deps: OpsDeps, show: ReturnType<typeof showOffers>) {
  return {
    create(operator: Operator, bot: BotView, form: FormFields): Promise<Response> {
      const fields = readOfferForm(form);
      return submit({
        parsed: parseInput(draftSchema, offerInputOf(fields)),
        change: (draft) =>
          createOffer(deps, operator.actor, { ...draft, bot: bot.username }, newestSeen(form)),
        wrong: (issues) => show.empty(operator, bot, { fields, errors: offerErrors(fields, issues) }),
        done({ offer }) {
          const warning = nobodyTakes(offer, bot, deps.config.payments);
          const made = `The offer ${offer.name} is made.`;
          return warning === null
            ? doneAndSee(operator, `/ops/bots/${bot.id}`, made)
            : doneAndSee(operator, `/ops/bots/${bot.id}`, `${made} ${warning.why}.`, "warn");
        },
      });
    },

    update(operator: Operator, sold: SoldOffer, form: FormFields): Promise<Response> {
      const { offer } = sold;
      const fields = readOfferForm(form);
      const path = `/ops/offers/${offer.id}#top`;
      const again = (errors: FieldErrors, stored = offer) =>
        show.one(operator, { ...sold, offer: stored }, { fields, errors });
      return submit({
        parsed: overtaken("offer", form, offer) ?? parseInput(offerChangeSchema, offerInputOf(fields)),
        change: (change) => updateOffer(deps, operator.actor, offer, change),
        wrong: (issues) => again(offerErrors(fields, issues)),
        done(result) {
          switch (result.kind) {
            case "updated":
              return doneAndSee(operator, path, "Saved.");
            case "unchanged":
              return doneAndSee(operator, path, "Nothing was different.");
            case "overtaken":
              return again({ "": overtakenText("offer") }, result.current);
            case "not_found":
              return noSuchOffer(operator);
          }
        },
      });
    },

    async remove(operator: Operator, { offer, bot }: SoldOffer): Promise<Response> {
      const result = await deleteOffer(deps, operator.actor, offer.id);
      switch (result.kind) {
        case "deleted":
          return doneAndSee(operator, `/ops/bots/${bot.id}`, `The offer ${offer.name} is removed.`);
        case "not_found":
          return noSuchOffer(operator);
        case "in_use":
          return doneAndSee(operator, `/ops/offers/${offer.id}`, IN_USE, "warn");
      }
    },
  };
}

/** Which offer was the newest when the form was opened. */
function newestSeen(form: FormFields): number | undefined {
  const seen = form.text("seen");
  return /^\d{1,15}$/.test(seen) ? Number(seen) : undefined;
}
