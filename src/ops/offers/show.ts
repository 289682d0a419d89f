import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NewOfferPage, OfferPage } from "../../../views/ops/offer.tsx";
import type { BotView } from "../../bots/bot-view.ts";
import { formatMoney } from "../../money/format.ts";
import { newestOffer } from "../../offers/offer-view.ts";
import { nobodyTakes, takingProviders } from "../../offers/payable.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { opsPage } from "../page.ts";
import { formStatus } from "../submit.ts";
import type { SoldOffer } from "./find.ts";
import { EMPTY_OFFER, offerFieldsOf } from "./offer-form.ts";

/** The pages of offers. */
export function showOffers({ db, config: { payments } }: OpsDeps) {
  const providers = takingProviders(payments);
  return {
    async empty(
      operator: Operator,
      bot: BotView,
      fields = EMPTY_OFFER,
      errors: FieldErrors = {},
    ): Promise<Response> {
      const { csrfToken } = operator.frame;
      return opsPage(operator, {
        title: "New offer",
        section: "bots",
        status: formStatus(errors),
        children: NewOfferPage({
          ...{ bot, fields, errors, providers, csrfToken },
          newest: await newestOffer(db, db.tables),
        }),
      });
    },

    one(
      operator: Operator,
      { offer, bot }: SoldOffer,
      fields = offerFieldsOf(offer),
      errors: FieldErrors = {},
    ): Response {
      const { csrfToken, zone } = operator.frame;
      const price = formatMoney(offer.price_minor, offer.currency, "en");
      const warning = nobodyTakes(offer, bot, payments);
      return opsPage(operator, {
        title: offer.name,
        section: "bots",
        status: formStatus(errors),
        children: OfferPage({
          offer: { ...offer, price, warning },
          ...{ bot, fields, errors, providers, csrfToken, zone },
        }),
      });
    },
  };
}
