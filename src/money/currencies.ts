/**
 * ISO 4217's active currencies by how many decimals their minor unit has. Codes without a minor unit (precious metals,
 * SDR, test codes) are absent: no price is in them. Withdrawn codes (HRK, ANG, BGN, …) are absent too.
 * Source: ISO 4217 list one, with the amendments that brought SLE, VED, XCG, ZWG and XAD.
 */
const CODES_BY_EXPONENT: readonly (readonly [exponent: number, codes: string])[] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [
    2,
    `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
     COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
     INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
     MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
     STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  ],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];

const EXPONENT_BY_CODE: ReadonlyMap<string, number> = new Map(
  CODES_BY_EXPONENT.flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, exponent]),
  ),
);

/** Telegram Stars' code in Telegram's payments: whole stars, no ISO currency. */
export const TELEGRAM_STARS = "XTR";

/** Whether the code is an active ISO 4217 currency, in capitals. `XTR` is not. */
export function isCurrency(code: string): boolean {
  return EXPONENT_BY_CODE.has(code);
}

/** Decimals of the currency's minor unit (BRL 2, JPY 0, KWD 3, `XTR` 0), or null for an unknown code: never a guess. */
export function currencyExponent(code: string): number | null {
  if (code === TELEGRAM_STARS) return 0;
  return EXPONENT_BY_CODE.get(code) ?? null;
}
