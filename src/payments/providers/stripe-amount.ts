import { currencyExponent } from "../../meta/currencies.ts";

/**
 * Where Stripe counts other minor units than ISO 4217: ariary without decimals; króna and Ugandan shilling with two,
 * which must be zero. Source: Stripe, "Supported currencies", zero-decimal currencies and special cases.
 */
const STRIPE_EXPONENT: ReadonlyMap<string, number> = new Map([
  ["MGA", 0],
  ["ISK", 2],
  ["UGX", 2],
]);

/** ISO minor units as Stripe counts them; null where Stripe cannot take the amount. */
export function toStripeAmount(amountMinor: number, currency: string): number | null {
  const shift = shiftOf(currency);
  if (shift === null) return null;
  const amount = scaled(amountMinor, shift);
  // Three-decimal currencies (KWD, …) must end in zero at Stripe.
  if (amount === null || (currencyExponent(currency) === 3 && amount % 10 !== 0)) return null;
  return amount;
}

/** Stripe's amount in ISO minor units; null where it has decimals that the currency does not. */
export function fromStripeAmount(amount: number, currency: string): number | null {
  const shift = shiftOf(currency);
  return shift === null ? null : scaled(amount, -shift);
}

function shiftOf(currency: string): number | null {
  const iso = currencyExponent(currency);
  return iso === null ? null : (STRIPE_EXPONENT.get(currency) ?? iso) - iso;
}

/** Times ten to the power of `shift`, where that stays a whole number. */
function scaled(amount: number, shift: number): number | null {
  const result = shift >= 0 ? amount * 10 ** shift : amount / 10 ** -shift;
  return Number.isSafeInteger(result) ? result : null;
}
