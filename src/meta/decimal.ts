import { currencyExponent } from "./currencies.ts";
import { isAmountMinor } from "./money.ts";

/**
 * A decimal in major units as whole minor units, by moving the point in its digits: nothing is multiplied, so 0.29 BRL
 * is 29 and not 28.999…. A JavaScript number prints the shortest digits that mean it, so a provider's JSON number of up
 * to 15 digits comes back as it was written.
 * @returns null for an unknown currency, more decimals than it has, or what is no plain amount
 */
export function decimalToMinor(amount: number | string, currency: string): number | null {
  const exponent = currencyExponent(currency);
  const match = /^(\d{1,15})(?:\.(\d{1,15}))?$/.exec(String(amount));
  if (exponent === null || !match) return null;
  const [, whole = "", decimals = ""] = match;
  const significant = decimals.replace(/0+$/, "");
  if (significant.length > exponent) return null;
  const minor = Number(whole + significant.padEnd(exponent, "0"));
  return isAmountMinor(minor) ? minor : null;
}

/**
 * Whole minor units as a decimal in major units with all of the currency's decimals, as in `49.90`: what
 * `decimalToMinor` reads back to the same amount.
 * @returns null for an unknown currency, and for what is no amount
 */
export function minorToDecimal(amountMinor: number, currency: string): string | null {
  const exponent = currencyExponent(currency);
  if (exponent === null || !isAmountMinor(amountMinor)) return null;
  if (exponent === 0) return String(amountMinor);
  const digits = String(amountMinor).padStart(exponent + 1, "0");
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
