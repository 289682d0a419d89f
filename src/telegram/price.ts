import { currencyExponent, TELEGRAM_STARS } from "../meta/currencies.ts";
import { minorToMajor } from "../meta/money.ts";
import { chatLocale } from "./texts.ts";

/** A price as a buyer reads it, with the currency's own number of decimals: `R$ 49,90`, `¥500`, `⭐ 50`. */
export function priceText(priceMinor: number, currency: string, language: string | null): string {
  const locale = chatLocale(language);
  if (currency === TELEGRAM_STARS) return `⭐ ${new Intl.NumberFormat(locale).format(priceMinor)}`;
  const major = minorToMajor(priceMinor, currency);
  const decimals = currencyExponent(currency);
  // An offer's currency is checked when it is saved; what is unknown all the same is shown as it stands.
  if (major === null || decimals === null) return `${priceMinor} ${currency}`;
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  return format.format(major);
}
