import { TELEGRAM_STARS } from "../money/currencies.ts";
import { isAmountMinor, minorToMajor } from "../money/minor-units.ts";

/** An amount as Meta takes it: major units and an ISO 4217 code. */
interface MetaAmount {
  readonly value: number;
  readonly currency: string;
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
function starsToUsdMinor(stars: number, usdMinorPerThousand: number): number | null {
  const product = stars * usdMinorPerThousand;
  if (!isAmountMinor(stars) || !isAmountMinor(usdMinorPerThousand) || !isAmountMinor(product)) return null;
  return Math.floor((product + 500) / 1000);
}
