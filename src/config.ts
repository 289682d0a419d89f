import { isIP } from "node:net";
import { dirname } from "node:path";
import ipaddr from "ipaddr.js";
import { z } from "zod";

const HOUR_MS = 3_600_000;

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must lie between ${min} and ${max}`);

const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "must be an http(s) URL")
  .transform((text) => text.replace(/\/+$/, ""));

/** Only an origin: paths of ours are added to it, and cookies go on its host. */
const originUrl = httpUrl
  .refine((text) => new URL(text).href === `${new URL(text).origin}/`, "must be scheme and host only")
  .transform((text) => new URL(text).origin);

/** A path, or a URL of a database that we know; another one's would pass for the name of a file. */
const databaseUrl = z
  .string()
  .regex(
    /^(?![A-Za-z][A-Za-z0-9+.-]*:\/\/)|^(sqlite|file|postgres(ql)?):\/\//,
    "must be a file or a postgres:// URL",
  );

const cidrList = z.string().transform((text, context) => {
  const entries = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((entry) => (entry.includes("/") ? entry : `${entry}/${entry.includes(":") ? 128 : 32}`));
  for (const entry of entries) {
    // The library also takes `127.1` and `0x7f.1` for addresses; nobody writes those on purpose.
    const isRange = isIP(entry.replace(/\/.*/, "")) !== 0 && ipaddr.isValidCIDR(entry);
    if (!isRange) context.addIssue({ code: "custom", message: `"${entry}" is not a CIDR` });
  }
  return entries;
});

const key32 = z
  .string()
  .transform((text) => new Uint8Array(Buffer.from(text, "base64")))
  .refine((bytes) => bytes.length === 32, "must be 32 bytes in base64");

const secretText = z.string().min(8, "must have at least 8 characters");

/** US dollars with at most two decimals as whole cents, moved by digits. */
const usdMinor = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,2})?$/, "must be dollars such as 13 or 13.50")
  .transform((text) => {
    const [dollars = "", cents = ""] = text.split(".");
    return Number(dollars + cents.padEnd(2, "0"));
  });

/** Every variable with its form and default; what each means stands in the README. */
const schema = z.object({
  HOST: z.string().default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).default(3000),
  PUBLIC_URL: originUrl.optional(),
  DATABASE_URL: databaseUrl.default("data/ponte.db"),
  DATABASE_DIRECT_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "must be a postgres:// URL")
    .optional(),
  DATABASE_POOLER: z.enum(["transaction"]).optional(),
  DATA_DIR: z.string().optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "must be a redis:// URL")
    .optional(),
  META_GRAPH_URL: httpUrl.default("https://graph.facebook.com"),
  META_GRAPH_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, "must look like v24.0")
    .default("v24.0"),
  TELEGRAM_API_URL: httpUrl.default("https://api.telegram.org"),
  STRIPE_SECRET_KEY: secretText.optional(),
  STRIPE_WEBHOOK_SECRET: secretText.optional(),
  STRIPE_API_URL: httpUrl.default("https://api.stripe.com"),
  MERCADOPAGO_ACCESS_TOKEN: secretText.optional(),
  MERCADOPAGO_WEBHOOK_SECRET: secretText.optional(),
  MERCADOPAGO_API_URL: httpUrl.default("https://api.mercadopago.com"),
  PUSHINPAY_TOKEN: secretText.optional(),
  PUSHINPAY_WEBHOOK_TOKEN: secretText.optional(),
  PUSHINPAY_API_URL: httpUrl.default("https://api.pushinpay.com.br"),
  GENERIC_WEBHOOK_SECRET: z.string().min(16, "must have at least 16 characters").optional(),
  STARS_USD_PER_1000: usdMinor.default(1300),
  CONSENT_DENIED: z.enum(["drop", "ldu"]).default("drop"),
  APP_SECRET: key32.optional(),
  OPERATOR_PASSWORD: z.string().min(8, "must have at least 8 characters").optional(),
  API_KEY: z.string().min(16, "must have at least 16 characters").optional(),
  ROLE: z.enum(["all", "web", "dispatcher"]).default("all"),
  PAGEVIEW_HOLD_MS: wholeNumber(0, HOUR_MS).default(5000),
  RATE_LIMIT_PER_HOUR: wholeNumber(0, 1_000_000_000).default(10_000),
  TRUSTED_PROXIES: cidrList.default([]),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  RETENTION_DAYS: wholeNumber(1, 36_500).default(365),
  TRACKING_TTL_DAYS: wholeNumber(1, 3_650).default(7),
  TZ_DISPLAY: z.string().refine(isTimeZone, "must be an IANA time zone").default("America/Sao_Paulo"),
});

const EXAMPLES: Readonly<Record<keyof z.input<typeof schema>, string>> = {
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

/** The settings of one process. Times in milliseconds unless the name says otherwise. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly database: {
    readonly url: string;
    readonly directUrl: string | undefined;
    readonly pooler: "transaction" | undefined;
  };
  /** Where the spool and the generated secret live; beside the SQLite file where nothing else is said. */
  readonly dataDir: string;
  readonly redisUrl: string | undefined;
  readonly meta: { readonly graphUrl: string; readonly graphVersion: string };
  readonly telegramApiUrl: string;
  readonly payments: PaymentsConfig;
  /** What becomes of the events of a visitor who denied consent. */
  readonly consentDenied: "drop" | "ldu";
  readonly appSecret: Uint8Array | undefined;
  readonly operatorPassword: string | undefined;
  readonly apiKey: string | undefined;
  readonly role: "all" | "web" | "dispatcher";
  readonly pageviewHoldMs: number;
  readonly rateLimitPerHour: number;
  readonly trustedProxies: readonly string[];
  readonly logLevel: string;
  readonly retentionDays: number;
  /** How long Redis keeps its copy of a visit's tracking data. */
  readonly trackingTtlDays: number;
  readonly timeZone: string;
}

/** Wrong settings: one line a variable, each with its name, what is wrong and an example. */
export class ConfigError extends Error {
  constructor(readonly lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "ConfigError";
  }
}

/** Reads the settings from environment variables; an empty variable counts as absent. @throws ConfigError */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(errorLine));
  const env = parsed.data;
  const halves = missingHalves(env);
  if (halves.length > 0) throw new ConfigError(halves);
  const isPostgres = /^postgres(ql)?:/.test(env.DATABASE_URL);
  const sqliteFile = isPostgres ? null : env.DATABASE_URL.replace(/^(sqlite|file):(\/\/)?/, "");
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL,
    database: { url: env.DATABASE_URL, directUrl: env.DATABASE_DIRECT_URL, pooler: env.DATABASE_POOLER },
    dataDir: env.DATA_DIR ?? (sqliteFile === null ? "data" : dirname(sqliteFile)),
    redisUrl: env.REDIS_URL,
    meta: { graphUrl: env.META_GRAPH_URL, graphVersion: env.META_GRAPH_VERSION },
    telegramApiUrl: env.TELEGRAM_API_URL,
    payments: paymentsConfig(env),
    consentDenied: env.CONSENT_DENIED,
    appSecret: env.APP_SECRET,
    operatorPassword: env.OPERATOR_PASSWORD,
    apiKey: env.API_KEY,
    role: env.ROLE,
    pageviewHoldMs: env.PAGEVIEW_HOLD_MS,
    rateLimitPerHour: env.RATE_LIMIT_PER_HOUR,
    trustedProxies: env.TRUSTED_PROXIES,
    logLevel: env.LOG_LEVEL,
    retentionDays: env.RETENTION_DAYS,
    trackingTtlDays: env.TRACKING_TTL_DAYS,
    timeZone: env.TZ_DISPLAY,
  };
}

type Environment = z.output<typeof schema>;
type Variable = keyof Environment;

/** What a provider needs besides what is set, one line a variable. */
function missingHalves(env: Environment): string[] {
  const pairs: readonly (readonly [set: Variable, needed: Variable])[] = [
    ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"],
    ["STRIPE_WEBHOOK_SECRET", "STRIPE_SECRET_KEY"],
    ["MERCADOPAGO_ACCESS_TOKEN", "MERCADOPAGO_WEBHOOK_SECRET"],
    ["MERCADOPAGO_WEBHOOK_SECRET", "MERCADOPAGO_ACCESS_TOKEN"],
    ["PUSHINPAY_WEBHOOK_TOKEN", "PUSHINPAY_TOKEN"],
  ];
  return pairs
    .filter(([set, needed]) => env[set] !== undefined && env[needed] === undefined)
    .map(([set, needed]) => lineOf(needed, `is missing, and ${set} is of no use without it`));
}

function paymentsConfig(env: Environment): PaymentsConfig {
  const { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL } = env;
  const { MERCADOPAGO_ACCESS_TOKEN, MERCADOPAGO_WEBHOOK_SECRET, MERCADOPAGO_API_URL } = env;
  const { PUSHINPAY_TOKEN, PUSHINPAY_WEBHOOK_TOKEN, PUSHINPAY_API_URL, GENERIC_WEBHOOK_SECRET } = env;
  const stripe = STRIPE_SECRET_KEY &&
    STRIPE_WEBHOOK_SECRET && {
      secretKey: STRIPE_SECRET_KEY,
      webhookSecret: STRIPE_WEBHOOK_SECRET,
      apiUrl: STRIPE_API_URL,
    };
  const mercadopago = MERCADOPAGO_ACCESS_TOKEN &&
    MERCADOPAGO_WEBHOOK_SECRET && {
      accessToken: MERCADOPAGO_ACCESS_TOKEN,
      webhookSecret: MERCADOPAGO_WEBHOOK_SECRET,
      apiUrl: MERCADOPAGO_API_URL,
    };
  const pushinpay = PUSHINPAY_TOKEN && {
    token: PUSHINPAY_TOKEN,
    webhookToken: PUSHINPAY_WEBHOOK_TOKEN ?? null,
    apiUrl: PUSHINPAY_API_URL,
  };
  return {
    stripe: stripe || undefined,
    mercadopago: mercadopago || undefined,
    pushinpay: pushinpay || undefined,
    generic: GENERIC_WEBHOOK_SECRET ? { webhookSecret: GENERIC_WEBHOOK_SECRET } : undefined,
    starsUsdMinorPerThousand: env.STARS_USD_PER_1000 === 0 ? null : env.STARS_USD_PER_1000,
  };
}

function errorLine(issue: z.core.$ZodIssue): string {
  return lineOf(String(issue.path[0] ?? ""), issue.message);
}

function lineOf(name: string, message: string): string {
  const example = Object.entries(EXAMPLES).find(([key]) => key === name)?.[1] ?? "";
  return `${name}: ${message}. Example: ${example}`;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
