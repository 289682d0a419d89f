import { currencyExponent, TELEGRAM_STARS } from "./currencies.ts";

/** Above 15 digits a double no longer holds every decimal; no sale is that large, and a wrong value is worse than none. */
const LARGEST_AMOUNT_MINOR = 999_999_999_999_999;

/** An amount as Meta takes it: major units and an ISO 4217 code. */
interface MetaAmount {
  readonly value: number;
  readonly currency: string;
}

/**
 * Minor units to major units, exactly: the decimal point is put into the digits, nothing is divided, so 1234567 BRL
 * cents are 12345.67 and print so.
 * @returns null for an unknown currency, and for an amount that is no whole number of 0 to 15 digits
 */
export function minorToMajor(amountMinor: number, currency: string): number | null {
  const exponent = currencyExponent(currency);
  if (exponent === null || !isAmountMinor(amountMinor)) return null;
  const digits = String(amountMinor).padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  return Number(`${digits.slice(0, point)}.${digits.slice(point)}`);
}

/** Whether this is an amount Ponte can hold and report: a whole number of minor units, not negative, at most 15 digits. */
export function isAmountMinor(amountMinor: number): boolean {
  return Number.isInteger(amountMinor) && amountMinor >= 0 && amountMinor <= LARGEST_AMOUNT_MINOR;
}

/**
 * A payment's amount as Meta takes it. Telegram Stars (`XTR`) are no ISO currency and Meta refuses them, so they are
 * reported in US dollars at the configured rate.
 * @param starsUsdMinorPerThousand US cents for 1 000 Stars; null: Stars are not converted
 * @returns null where Meta could not take it: unknown currency, impossible amount, Stars without a rate
 */
export function metaAmount(
  amountMinor: number,
  currency: string,
  starsUsdMinorPerThousand: number | null,
): MetaAmount | null {
  if (currency === TELEGRAM_STARS) {
    if (starsUsdMinorPerThousand === null) return null;
    const usdMinor = starsToUsdMinor(amountMinor, starsUsdMinorPerThousand);
    return usdMinor === null ? null : metaAmount(usdMinor, "USD", null);
  }
  const value = minorToMajor(amountMinor, currency);
  return value === null ? null : { value, currency };
}

/**
 * Stars in US cents, rounded half up.
 * @param usdMinorPerThousand whole US cents for 1 000 Stars
 * @returns null where a count or rate is no whole number from 0, or the product is too large to be exact
 */
export function starsToUsdMinor(stars: number, usdMinorPerThousand: number): number | null {
  const product = stars * usdMinorPerThousand;
  if (!isAmountMinor(stars) || !isAmountMinor(usdMinorPerThousand) || !isAmountMinor(product)) return null;
  return Math.floor((product + 500) / 1000);
}
