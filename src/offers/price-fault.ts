import { currencyExponent } from "../money/currencies.ts";
import { minorToDecimal } from "../money/minor-units.ts";

/**
 * What is wrong with a price as an operator types it; null where nothing is, or nobody knows the currency. Stricter than
 * our own decimals: where thousands have a point, `1.000` is meant for a thousand, and reading it as one would sell for
 * nothing.
 */
export function priceFault(price: string, currency: string): string | null {
  const decimals = currencyExponent(currency);
  if (decimals === null) return null;
  const example = minorToDecimal(4990, currency);
  const digits = /^\d{1,15}(?:\.(\d+))?$/.exec(price);
  if (!digits) return `write it with digits and a point, as in ${example}`;
  const most = decimals === 0 ? "no decimals" : `at most ${decimals} decimals`;
  if ((digits[1] ?? "").length > decimals) return `${currency} has ${most}: write it as in ${example}`;
  return Number(price) > 0 ? null : `above 0, as in ${example}`;
}
