import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NewOfferPage, OfferPage } from "../../../views/ops/offer.tsx";
import type { BotView } from "../../pools/bot-view.ts";
import { newestOffer } from "../../pools/offer-view.ts";
import { nobodyTakes, takingProviders } from "../../pools/payable.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { moneyText } from "../money.ts";
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
      const price = moneyText(offer.price_minor, offer.currency);
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
