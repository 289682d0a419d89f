import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NewOfferPage, OfferPage } from "../../../views/ops/offer.tsx";
import type { OfferFields } from "../../../views/ops/offer-data.ts";
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

/** A form that was not taken. */
interface OfferShown {
  readonly fields?: OfferFields;
  readonly errors?: FieldErrors;
}

/** The pages of offers. */
export function showOffers({ db, config: { payments } }: OpsDeps) {
  const providers = takingProviders(payments);
  return {
    async empty(operator: Operator, bot: BotView, shown: OfferShown = {}): Promise<Response> {
      const { fields = EMPTY_OFFER, errors = {} } = shown;
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

    one(operator: Operator, { offer, bot }: SoldOffer, shown: OfferShown = {}): Response {
      const { fields = offerFieldsOf(offer), errors = {} } = shown;
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
