import { z } from "zod";
import {
  cidrList,
  databaseUrl,
  graphVersion,
  headerSecret,
  httpUrl,
  key32,
  oneOf,
  originUrl,
  postgresUrl,
  redisUrl,
  secretText,
  timeZone,
  usdMinor,
  wholeNumber,
} from "./kinds.ts";

const HOUR_MS = 3_600_000;
/** Nobody types more; without a limit a long text would keep a core busy. */
export const LONGEST_PASSWORD = 1_000;
/** Longer ones are not looked for in a request. */
export const LONGEST_API_KEY = 512;

/** Every variable with its form and default; what each means stands in the README. */
export const variables = z.object({
  HOST: z.string().default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).default(3000),
  PUBLIC_URL: originUrl.optional(),
  DATABASE_URL: databaseUrl.default("data/ponte.db"),
  DATABASE_DIRECT_URL: postgresUrl.optional(),
  DATABASE_POOLER: oneOf("transaction").optional(),
  DATA_DIR: z.string().optional(),
  REDIS_URL: redisUrl.optional(),
  META_GRAPH_URL: httpUrl.default("https://graph.facebook.com"),
  META_GRAPH_VERSION: graphVersion.default("v24.0"),
  TELEGRAM_API_URL: httpUrl.default("https://api.telegram.org"),
  STRIPE_SECRET_KEY: headerSecret(8).optional(),
  STRIPE_WEBHOOK_SECRET: secretText(8).optional(),
  STRIPE_API_URL: httpUrl.default("https://api.stripe.com"),
  MERCADOPAGO_ACCESS_TOKEN: headerSecret(8).optional(),
  MERCADOPAGO_WEBHOOK_SECRET: secretText(8).optional(),
  MERCADOPAGO_API_URL: httpUrl.default("https://api.mercadopago.com"),
  PUSHINPAY_TOKEN: headerSecret(8).optional(),
  PUSHINPAY_WEBHOOK_TOKEN: headerSecret(8).optional(),
  PUSHINPAY_API_URL: httpUrl.default("https://api.pushinpay.com.br"),
  GENERIC_WEBHOOK_SECRET: secretText(16).optional(),
  // What Telegram pays a bot's owner by its published terms; buyers pay more, by region and app store.
  STARS_USD_PER_1000: usdMinor.default(1300),
  CONSENT_DENIED: oneOf("drop", "ldu").default("drop"),
  APP_SECRET: key32.optional(),
  OPERATOR_PASSWORD: secretText(8, LONGEST_PASSWORD).optional(),
  API_KEY: headerSecret(16, LONGEST_API_KEY).optional(),
  ROLE: oneOf("all", "web", "dispatcher").default("all"),
  PAGEVIEW_HOLD_MS: wholeNumber(0, HOUR_MS).default(5000),
  RATE_LIMIT_PER_HOUR: wholeNumber(0, 1_000_000_000).default(10_000),
  TRUSTED_PROXIES: cidrList.default([]),
  LOG_LEVEL: oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent").default("info"),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(365),
  TRACKING_TTL_DAYS: wholeNumber(1, 3_650).default(7),
  TZ_DISPLAY: timeZone.default("America/Sao_Paulo"),
});

export type Environment = z.output<typeof variables>;
export type Variable = keyof Environment;

const EXAMPLES: Readonly<Record<keyof z.input<typeof variables>, string>> = {
  HOST: "127.0.0.1",
  PORT: "3000",
  PUBLIC_URL: "https://go.example.com",
  DATABASE_URL: "postgres://user:password@db/ponte",
  DATABASE_DIRECT_URL: "postgres://user:password@db:5432/ponte",
  DATABASE_POOLER: "transaction",
  DATA_DIR: "/var/lib/ponte",
  REDIS_URL: "redis://localhost:6379",
  META_GRAPH_URL: "https://graph.facebook.com",
  META_GRAPH_VERSION: "v24.0",
  TELEGRAM_API_URL: "https://api.telegram.org",
  STRIPE_SECRET_KEY: "sk_live_…",
  STRIPE_WEBHOOK_SECRET: "whsec_…",
  STRIPE_API_URL: "https://api.stripe.com",
  MERCADOPAGO_ACCESS_TOKEN: "APP_USR-…",
  MERCADOPAGO_WEBHOOK_SECRET: "the secret signature of the application's webhooks",
  MERCADOPAGO_API_URL: "https://api.mercadopago.com",
  PUSHINPAY_TOKEN: "the token of the account",
  PUSHINPAY_WEBHOOK_TOKEN: "the output of `openssl rand -hex 24`",
  PUSHINPAY_API_URL: "https://api.pushinpay.com.br",
  GENERIC_WEBHOOK_SECRET: "the output of `openssl rand -hex 24`",
  STARS_USD_PER_1000: "13.00 (0 = not reported as money)",
  CONSENT_DENIED: "ldu (Limited Data Use)",
  APP_SECRET: "the output of `openssl rand -base64 32`",
  OPERATOR_PASSWORD: "a long sentence",
  API_KEY: "the output of `openssl rand -hex 24`",
  ROLE: "all",
  PAGEVIEW_HOLD_MS: "5000",
  RATE_LIMIT_PER_HOUR: "10000 (0 = off)",
  TRUSTED_PROXIES: "10.0.0.0/8, 127.0.0.1",
  LOG_LEVEL: "info",
  RETENTION_DAYS: "365",
  TRACKING_TTL_DAYS: "7",
  TZ_DISPLAY: "America/Sao_Paulo",
};

/** What is wrong with a variable, and how it may look instead. */
export function lineOf(name: string, message: string): string {
  const example = Object.entries(EXAMPLES).find(([key]) => key === name)?.[1] ?? "";
  return `${name}: ${message}. Example: ${example}`;
}
