import { currencyExponent, TELEGRAM_STARS } from "../meta/currencies.ts";

/**
 * An amount as operators read it: `R$4,990.00`, `MX$4,990.00`, `★ 50`. In English, as all of the console is and as prices
 * are typed there; the chat writes a buyer's in the buyer's language. What is no currency is shown as it stands.
 */
export function moneyText(amountMinor: number, currency: string): string {
  if (currency === TELEGRAM_STARS) return `★ ${new Intl.NumberFormat("en").format(amountMinor)}`;
  const decimals = currencyExponent(currency);
  if (decimals === null) return `${amountMinor} ${currency}`.trim();
  const format = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  // For reading only: nothing is computed with it.
  return format.format(amountMinor / 10 ** decimals);
}
