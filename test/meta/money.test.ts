import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { metaAmount } from "../../src/meta/money.ts";
import { currencyExponent, isCurrency } from "../../src/money/currencies.ts";
import { minorToMajor } from "../../src/money/minor-units.ts";

describe("minor units to major units", () => {
  test.each([
    [9700, "BRL", 97],
    [1290, "BRL", 12.9],
    [1234567, "BRL", 12345.67],
    [1, "USD", 0.01],
    [0, "USD", 0],
    [70, "EUR", 0.7],
    [1500, "JPY", 1500],
    [12345, "KWD", 12.345],
    [5, "KWD", 0.005],
    [12345, "CLF", 1.2345],
    [999_999_999_999_999, "USD", 9999999999999.99],
  ])("%d of %s is %d", (minor, currency, major) => {
    expect(minorToMajor(minor, currency)).toBe(major);
  });

  test.each([
    [100, "XYZ"],
    [100, "brl"],
    [100, ""],
    [100, "XAU"],
    [100, "HRK"],
    [1.5, "BRL"],
    [-1, "BRL"],
    [Number.NaN, "BRL"],
    [Number.POSITIVE_INFINITY, "BRL"],
    [1_000_000_000_000_000, "BRL"],
  ])("%d of %p is refused, not guessed", (minor, currency) => {
    expect(minorToMajor(minor, currency)).toBeNull();
  });

  test("loses and gains nothing: the printed value's digits are the minor units", () => {
    const amount = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 999_999_999_999_999 }));
    const currency = fc.constantFrom("BRL", "USD", "EUR", "JPY", "KWD", "BHD", "CLF", "UYW", "CLP");
    fc.assert(
      fc.property(amount, currency, (minor, code) => {
        const exponent = currencyExponent(code) ?? Number.NaN;
        const [whole = "", decimals = ""] = JSON.stringify(minorToMajor(minor, code)).split(".");
        expect(decimals.length).toBeLessThanOrEqual(exponent);
        expect(BigInt(whole + decimals.padEnd(exponent, "0"))).toBe(BigInt(minor));
      }),
      { numRuns: 5000 },
    );
  });
});

describe("currencies", () => {
  test("have the exponents that ISO 4217 gives them", () => {
    const exponents = [
      "BRL",
      "USD",
      "JPY",
      "KRW",
      "ISK",
      "UGX",
      "CLP",
      "KWD",
      "TND",
      "IQD",
      "CLF",
      "UYW",
      "MGA",
    ];
    expect(exponents.map(currencyExponent)).toEqual([2, 2, 0, 0, 0, 0, 0, 3, 3, 3, 4, 4, 2]);
  });

  test("agree with the runtime's own table, but for one funds code", () => {
    const differing = Intl.supportedValuesOf("currency").filter((code) => {
      const { maximumFractionDigits } = new Intl.NumberFormat("en", {
        style: "currency",
        currency: code,
      }).resolvedOptions();
      return isCurrency(code) && currencyExponent(code) !== maximumFractionDigits;
    });
    // ICU does not know that Uruguay's wage unit has four decimals.
    expect(differing).toEqual(["UYW"]);
  });

  test("are codes in capitals; Stars are none", () => {
    expect(["BRL", "brl", "Brl", "BR", "BRLX", "XTR", "XXX", "", "__proto__"].filter(isCurrency)).toEqual([
      "BRL",
    ]);
  });
});

describe("Telegram Stars", () => {
  test("are not told to Meta without a rate", () => {
    expect(metaAmount(500, "XTR", null)).toBeNull();
  });

  test("are told in US dollars at the operator's rate", () => {
    expect(metaAmount(500, "XTR", 1300)).toEqual({
      value: 6.5,
      currency: "USD",
    });
    expect(metaAmount(500, "XTR", 2000)).toEqual({ value: 10, currency: "USD" });
  });

  test("round half up to the cent, and refuse what is no whole number", () => {
    const dollars = (stars: number, rate: number) => metaAmount(stars, "XTR", rate)?.value ?? null;
    expect([0, 1, 5, 50].map((stars) => dollars(stars, 1300))).toEqual([0, 0.01, 0.07, 0.65]);
    const impossible = [-1, 1.5, Number.NaN, 1e15].map((stars) => dollars(stars, 1300));
    expect(impossible).toEqual([null, null, null, null]);
    expect([-1, 1.5].map((rate) => dollars(10, rate))).toEqual([null, null]);
    expect(dollars(2 ** 31 - 1, 2 ** 31 - 1)).toBeNull();
    // A product of more digits than a number holds, though the dollars would be few enough.
    expect(dollars(900_000_000_000_001, 1_000)).toBeNull();
  });

  test("leave other currencies alone, whatever the rate", () => {
    expect(metaAmount(9700, "BRL", 1300)).toEqual({ value: 97, currency: "BRL" });
    expect(metaAmount(9700, "???", 1300)).toBeNull();
  });
});
