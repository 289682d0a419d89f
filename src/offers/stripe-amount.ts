import { currencyExponent } from "../money/currencies.ts";
import { isAmountMinor } from "../money/minor-units.ts";

/**
 * Where Stripe's amounts have other decimals than ISO 4217: MGA is written without any, ISK and UGX with two that are
 * always 00. Source: Stripe, "Supported currencies", zero-decimal currencies and special cases (the latter, which gives
 * UGX an example, goes before the list, which names it too).
 */
const STRIPE_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ["MGA", 0],
  ["ISK", 2],
  ["UGX", 2],
]);

/** Of three-decimal currencies Stripe takes amounts whose last digit is 0 only: 5.120 KWD is 5120. Same source. */
const THREE_DECIMAL_STEP = 10;

/**
 * Minor units of ISO 4217 as Stripe's API writes them.
 * @returns null where Stripe could not take it: unknown currency, a fraction that it does not charge
 */
export function toStripeAmount(amountMinor: number, currency: string): number | null {
  const exponents = exponentsOf(currency);
  if (!exponents || !isAmountMinor(amountMinor)) return null;
  if (exponents.iso === 3 && amountMinor % THREE_DECIMAL_STEP !== 0) return null;
  return shifted(amountMinor, exponents.stripe - exponents.iso);
}

/**
 * An amount of Stripe's API in ISO 4217's minor units.
 * @param currency in capitals
 * @returns null for an unknown currency, and for a fraction that the currency does not have
 */
export function fromStripeAmount(amount: number, currency: string): number | null {
  const exponents = exponentsOf(currency);
  return exponents && isAmountMinor(amount) ? shifted(amount, exponents.iso - exponents.stripe) : null;
}

function exponentsOf(currency: string): { readonly iso: number; readonly stripe: number } | null {
  const iso = currencyExponent(currency);
  return iso === null ? null : { iso, stripe: STRIPE_EXPONENTS.get(currency) ?? iso };
}

/** Moves the decimal point; null where a digit other than 0 would be lost, or the amount gets too large. */
function shifted(amount: number, places: number): number | null {
  const factor = 10 ** Math.abs(places);
  if (places < 0) return amount % factor === 0 ? amount / factor : null;
  const product = amount * factor;
  return isAmountMinor(product) ? product : null;
}
