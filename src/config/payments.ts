import { type Environment, lineOf, type Variable } from "./variables.ts";

/** The payment providers that are set up; undefined: not this one. */
export interface PaymentsConfig {
  readonly stripe:
    | { readonly secretKey: string; readonly webhookSecret: string; readonly apiUrl: string }
    | undefined;
  readonly mercadopago:
    | { readonly accessToken: string; readonly webhookSecret: string; readonly apiUrl: string }
    | undefined;
  readonly pushinpay:
    | { readonly token: string; readonly webhookToken: string | null; readonly apiUrl: string }
    | undefined;
  readonly generic: { readonly webhookSecret: string } | undefined;
  /** US cents for 1 000 Telegram Stars; null: Stars are not reported as money. */
  readonly starsUsdMinorPerThousand: number | null;
}

/** What a provider needs besides what is set, right or wrong: one line a variable. */
export function missingHalves(given: { readonly [name in Variable]?: unknown }): string[] {
  const pairs: readonly (readonly [set: Variable, needed: Variable])[] = [
    ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
    ["STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"],
    ["MERCADOPAGO_ACCESS_TOKEN", "MERCADOPAGO_WEBHOOK_SECRET"],
    ["MERCADOPAGO_WEBHOOK_SECRET", "MERCADOPAGO_ACCESS_TOKEN"],
    ["PUSHINPAY_WEBHOOK_TOKEN", "PUSHINPAY_TOKEN"],
  ];
  return pairs
    .filter(([set, needed]) => given[set] !== undefined && given[needed] === undefined)
    .map(([set, needed]) => lineOf(needed, `is missing, and ${set} is of no use without it`));
}

/** What the variables say of payments; a provider that is not wholly set up is none. */
export function paymentsConfig(env: Environment): PaymentsConfig {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL } = env;
  const { MERCADOPAGO_ACCESS_TOKEN, MERCADOPAGO_WEBHOOK_SECRET, MERCADOPAGO_API_URL } = env;
  const { PUSHINPAY_TOKEN, PUSHINPAY_WEBHOOK_TOKEN, PUSHINPAY_API_URL, GENERIC_WEBHOOK_SECRET } = env;
  return {
    stripe:
      STRIPE_SECRET_KEY && STRIPE_WEBHOOK_SECRET
        ? { secretKey: STRIPE_SECRET_KEY, webhookSecret: STRIPE_WEBHOOK_SECRET, apiUrl: STRIPE_API_URL }
        : undefined,
    mercadopago:
      MERCADOPAGO_ACCESS_TOKEN && MERCADOPAGO_WEBHOOK_SECRET
        ? {
            accessToken: MERCADOPAGO_ACCESS_TOKEN,
            webhookSecret: MERCADOPAGO_WEBHOOK_SECRET,
            apiUrl: MERCADOPAGO_API_URL,
          }
        : undefined,
    pushinpay: PUSHINPAY_TOKEN
      ? { token: PUSHINPAY_TOKEN, webhookToken: PUSHINPAY_WEBHOOK_TOKEN ?? null, apiUrl: PUSHINPAY_API_URL }
      : undefined,
    generic: GENERIC_WEBHOOK_SECRET ? { webhookSecret: GENERIC_WEBHOOK_SECRET } : undefined,
    starsUsdMinorPerThousand: env.STARS_USD_PER_1000 === 0 ? null : env.STARS_USD_PER_1000,
  };
}

/** The providers that are set up, as the addresses of their webhooks name them. */
export function providerNames({ starsUsdMinorPerThousand: _, ...providers }: PaymentsConfig): string[] {
  return Object.entries(providers).flatMap(([name, settings]) => (settings ? [name] : []));
}
