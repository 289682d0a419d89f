import { describe, expect, test } from "bun:test";
import { readConfig } from "../../src/config.ts";
import { configuredProviders } from "../../src/payments/providers/configured.ts";
import { refusal } from "../support/refused-settings.ts";

const ALL = {
  STRIPE_SECRET_KEY: "sk_test_0123456789",
  STRIPE_WEBHOOK_SECRET: "whsec_0123456789",
  MERCADOPAGO_ACCESS_TOKEN: "APP_USR-0123456789",
  MERCADOPAGO_WEBHOOK_SECRET: "mercadopago-0123456789",
  PUSHINPAY_TOKEN: "pushinpay-0123456789",
  PUSHINPAY_WEBHOOK_TOKEN: "pushinpay-webhook-0123456789",
  GENERIC_WEBHOOK_SECRET: "generic-secret-0123456789",
};

const names = (environment: Readonly<Record<string, string>>) => [
  ...configuredProviders(readConfig(environment).payments, () => new Date()).keys(),
];

describe("the payment providers of the environment", () => {
  test("are those that are set, under their names", () => {
    expect(names({})).toEqual([]);
    expect(names(ALL)).toEqual(["generic", "stripe", "mercadopago", "pushinpay"]);
    expect(names({ PUSHINPAY_TOKEN: ALL.PUSHINPAY_TOKEN })).toEqual(["pushinpay"]);
    expect(names({ STRIPE_SECRET_KEY: "", STRIPE_WEBHOOK_SECRET: "" })).toEqual([]);
  });

  test("call the providers' own addresses unless told otherwise", () => {
    const { stripe, mercadopago, pushinpay } = readConfig({
      ...ALL,
      PUSHINPAY_API_URL: "http://127.0.0.1:3001/",
    }).payments;
    expect(stripe?.apiUrl).toBe("https://api.stripe.com");
    expect(mercadopago?.apiUrl).toBe("https://api.mercadopago.com");
    expect(pushinpay?.apiUrl).toBe("http://127.0.0.1:3001");
  });

  test.each([
    ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
    ["STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"],
    ["MERCADOPAGO_ACCESS_TOKEN", "MERCADOPAGO_WEBHOOK_SECRET"],
    ["MERCADOPAGO_WEBHOOK_SECRET", "MERCADOPAGO_ACCESS_TOKEN"],
    ["PUSHINPAY_WEBHOOK_TOKEN", "PUSHINPAY_TOKEN"],
  ] as const)("%s alone stops the start, naming %s", (set, missing) => {
    const [line, ...more] = refusal({ [set]: ALL[set] });
    expect(line).toStartWith(`${missing}: is missing, and ${set} is of no use without it. Example: `);
    expect(more).toEqual([]);
  });

  test("several halves are several lines, and no line repeats a secret", () => {
    const { STRIPE_SECRET_KEY, MERCADOPAGO_ACCESS_TOKEN } = ALL;
    const lines = refusal({ STRIPE_SECRET_KEY, MERCADOPAGO_ACCESS_TOKEN });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain("0123456789");
  });

  test.each([
    [undefined, 1300],
    ["13", 1300],
    ["13.5", 1350],
    ["9.99", 999],
    ["0", null],
    ["0.00", null],
  ])("STARS_USD_PER_1000 of %p is %p cents for 1 000 Stars", (text, cents) => {
    const environment = text === undefined ? {} : { STARS_USD_PER_1000: text };
    expect(readConfig(environment).payments.starsUsdMinorPerThousand).toBe(cents);
  });

  test.each(["13.999", "-1", "1e3", "13,5", "$13"])("STARS_USD_PER_1000 of %p is refused", (text) => {
    expect(refusal({ STARS_USD_PER_1000: text })).toEqual([
      `STARS_USD_PER_1000: must be dollars such as 13 or 13.50, not "${text}". Example: 13.00 (0 = not reported as money)`,
    ]);
  });
});
