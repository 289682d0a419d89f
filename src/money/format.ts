import { currencyExponent, TELEGRAM_STARS } from "./currencies.ts";

/**
 * An amount as people read it, with the currency's own number of decimals: `R$ 49,90`, `MX$4,990.00`, `¥500`, `⭐ 50`.
 * No line breaks within it. What is no currency is shown as it stands.
 *
 * @param locale a BCP 47 tag, which decides over points, commas and the currency's sign
 */
export function formatMoney(amountMinor: number, currency: string, locale: string): string {
  if (currency === TELEGRAM_STARS) return `⭐\u00a0${new Intl.NumberFormat(locale).format(amountMinor)}`;
  const decimals = currencyExponent(currency);
  if (decimals === null) return `${amountMinor} ${currency}`.trim();
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  // For reading only: nothing is computed with it.
  return format.format(amountMinor / 10 ** decimals);
}
