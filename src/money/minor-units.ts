import { currencyExponent } from "./currencies.ts";

/** Above 15 digits a double no longer holds every decimal; no sale is that large, and a wrong value is worse than none. */
const LARGEST_AMOUNT_MINOR = 999_999_999_999_999;

/** Whether this is an amount Ponte can hold and report: a whole number of minor units, not negative, at most 15 digits. */
export function isAmountMinor(amountMinor: number): boolean {
  return Number.isInteger(amountMinor) && amountMinor >= 0 && amountMinor <= LARGEST_AMOUNT_MINOR;
}

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
 * `decimalToMinor` reads back to the same amount. Nothing is divided, the point is put into the digits.
 * @returns null for an unknown currency, and for an amount that is no whole number of 0 to 15 digits
 */
export function minorToDecimal(amountMinor: number, currency: string): string | null {
  const exponent = currencyExponent(currency);
  if (exponent === null || !isAmountMinor(amountMinor)) return null;
  if (exponent === 0) return String(amountMinor);
  const digits = String(amountMinor).padStart(exponent + 1, "0");
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/** The same as a number: 1234567 BRL cents are 12345.67 and print so. Null where `minorToDecimal` is. */
export function minorToMajor(amountMinor: number, currency: string): number | null {
  const decimal = minorToDecimal(amountMinor, currency);
  return decimal === null ? null : Number(decimal);
}
