import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decimalToMinor, minorToDecimal, minorToMajor } from "../../src/money/minor-units.ts";
import { fromStripeAmount, toStripeAmount } from "../../src/offers/stripe-amount.ts";

const CURRENCIES = ["BRL", "USD", "JPY", "KWD", "CLF", "ISK", "UGX", "MGA", "HUF", "TWD", "COP"];

describe("decimal amounts", () => {
  test.each([
    [49.9, "BRL", 4990],
    ["49.90", "BRL", 4990],
    [0.29, "BRL", 29],
    [1.15, "BRL", 115],
    [10, "BRL", 1000],
    ["10.000", "BRL", 1000],
    [4.35, "USD", 435],
    [1500, "JPY", 1500],
    ["1500.00", "JPY", 1500],
    [5.124, "KWD", 5124],
    [9_999_999_999.99, "BRL", 999_999_999_999],
  ])("%p %s is %d in minor units, by its digits", (amount, currency, minor) => {
    expect(decimalToMinor(amount, currency)).toBe(minor);
  });

  test.each([
    [49.999, "BRL"],
    [0.5, "JPY"],
    [1.2345, "KWD"],
    [-1, "BRL"],
    ["-0", "BRL"],
    [Number.NaN, "BRL"],
    [Number.POSITIVE_INFINITY, "BRL"],
    [1e300, "BRL"],
    [1e-7, "BRL"],
    ["1,50", "BRL"],
    ["1e3", "BRL"],
    [" 1", "BRL"],
    ["", "BRL"],
    ["999999999999999", "BRL"],
    [1, "BRX"],
    [1, ""],
  ])("%p %s is no amount", (amount, currency) => {
    expect(decimalToMinor(amount, currency)).toBeNull();
  });

  test.each([
    [4990, "BRL", "49.90"],
    [5, "BRL", "0.05"],
    [100_000, "BRL", "1000.00"],
    [1500, "JPY", "1500"],
    [50, "XTR", "50"],
    [5124, "KWD", "5.124"],
    [1, "???", null],
    [0.5, "BRL", null],
  ])("%p of %s is written %p", (minor, currency, written) => {
    expect(minorToDecimal(minor, currency)).toBe(written);
  });

  test("what our own amounts look like in major units comes back as it was, also through JSON", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999_999_999 }),
        fc.constantFrom(...CURRENCIES),
        (minor, currency) => {
          const major: number = JSON.parse(JSON.stringify(minorToMajor(minor, currency)));
          expect(decimalToMinor(major, currency)).toBe(minor);
          expect(decimalToMinor(minorToDecimal(minor, currency) ?? "", currency)).toBe(minor);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("Stripe's amounts", () => {
  test.each([
    [4990, "BRL", 4990],
    [1500, "JPY", 1500],
    [5120, "KWD", 5120],
    [5, "ISK", 500],
    [5, "UGX", 500],
    [500, "MGA", 5],
    [100, "HUF", 100],
    [80_045, "TWD", 80_045],
  ])("%d %s in ISO 4217's minor units is %d there, and back", (minor, currency, stripe) => {
    expect(toStripeAmount(minor, currency)).toBe(stripe);
    expect(fromStripeAmount(stripe, currency)).toBe(minor);
  });

  test.each([
    [5124, "KWD", "its last digit must be 0"],
    [501, "MGA", "there are no fractions of it"],
    [1, "BRX", "no such currency"],
    [1, "XTR_", "no such currency"],
    [1.5, "BRL", "no whole number"],
    [-1, "BRL", "negative"],
    [999_999_999_999_999, "ISK", "too large"],
  ])("%d %s cannot be charged: %s", (minor, currency) => {
    expect(toStripeAmount(minor, currency)).toBeNull();
  });

  test.each([
    [501, "ISK"],
    [550, "UGX"],
    [1.5, "BRL"],
    [-1, "BRL"],
    [1, "brl"],
  ])("%d %s is nothing that Stripe would say", (amount, currency) => {
    expect(fromStripeAmount(amount, currency)).toBeNull();
  });

  test("every amount that Stripe takes comes back as the one that it was", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_999_999_999 }),
        fc.constantFrom(...CURRENCIES),
        (minor, currency) => {
          const stripe = toStripeAmount(minor, currency);
          if (stripe !== null) expect(fromStripeAmount(stripe, currency)).toBe(minor);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
