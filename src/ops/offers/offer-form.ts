import type { FieldErrors } from "../../../views/ops/form-data.ts";
import type { OfferFields } from "../../../views/ops/offer-data.ts";
import { TELEGRAM_STARS } from "../../money/currencies.ts";
import { decimalToMinor, minorToDecimal } from "../../money/minor-units.ts";
import type { OfferView } from "../../offers/offer-view.ts";
import { priceFault } from "../../offers/price-fault.ts";
import type { Issue } from "../../platform/parse-input.ts";
import { TELEGRAM_PROVIDER } from "../../telegram/sale.ts";
import type { FormFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";

/** The form of an offer that is not there yet. */
export const EMPTY_OFFER: OfferFields = {
  name: "",
  description: "",
  price: "",
  currency: "",
  provider: "",
  delivery: "",
  position: "",
  enabled: true,
};

/** The form of an offer as it is. */
export function offerFieldsOf(offer: OfferView): OfferFields {
  return {
    name: offer.name,
    description: offer.description,
    price: minorToDecimal(offer.price_minor, offer.currency) ?? "",
    currency: offer.currency,
    provider: offer.provider,
    delivery: offer.delivery,
    position: String(offer.position),
    enabled: offer.enabled,
  };
}

/** The form as it was sent. */
export function readOfferForm(form: FormFields): OfferFields {
  return {
    name: form.text("name"),
    description: form.lines("description"),
    price: form.text("price"),
    currency: form.text("currency").toUpperCase(),
    provider: form.text("provider"),
    delivery: form.lines("delivery"),
    position: form.text("position"),
    enabled: form.has("enabled"),
  };
}

/** What the offer rules (`offerDraftSchema`, `offerChangeSchema`) are asked to take. */
export function offerInputOf(fields: OfferFields): Record<string, unknown> {
  const { name, description, currency, delivery, enabled } = fields;
  return {
    ...{ name, description, currency, delivery, enabled },
    price_minor: readPrice(fields),
    ...(fields.position !== "" && { position: wholeNumber(fields.position) }),
    // Nobody but Telegram takes Stars.
    provider: fields.provider === "" && currency === TELEGRAM_STARS ? TELEGRAM_PROVIDER : fields.provider,
  };
}

/** What to say at each field. */
export function offerErrors(fields: OfferFields, issues: readonly Issue[]): FieldErrors {
  const { price_minor: price, provider, ...errors } = fieldErrors(issues);
  const nobody = fields.provider === "" ? "say who takes the money, such as mercadopago" : provider;
  // Without a currency nobody knows what a price is.
  const isPriceless = price === undefined || errors.currency !== undefined;
  return {
    ...errors,
    ...(provider !== undefined && nobody !== undefined && { provider: nobody }),
    ...(!isPriceless && { price: priceFault(fields.price, fields.currency) ?? price }),
  };
}

/** In minor units; anything else stays text, which the rules refuse. */
function readPrice(fields: OfferFields): number | string {
  const minor =
    priceFault(fields.price, fields.currency) === null ? decimalToMinor(fields.price, fields.currency) : null;
  return minor ?? fields.price;
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
