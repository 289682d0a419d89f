import { dirname, join } from "node:path";
import type { z } from "zod";
import { POSTGRES_URL, sqlitePath } from "./config/database-url.ts";
import { missingHalves, type PaymentsConfig, paymentsConfig } from "./config/payments.ts";
import { type Environment, lineOf, variables } from "./config/variables.ts";

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
  /** Null with Postgres. */
  readonly sqliteFile: string | null;
  /** Where the spool and the generated secret live; beside the SQLite file where nothing else is said. */
  readonly dataDir: string;
  readonly spoolFile: string;
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
  readonly logLevel: Environment["LOG_LEVEL"];
  readonly retentionDays: number;
  /** How long Redis keeps its copy of a visit's tracking data: no longer than the database keeps the visit. */
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
  // Read once a start: zod would first write and compile a parser of its own, which takes longer.
  const parsed = variables.safeParse(given, { jitless: true });
  const issues = parsed.error?.issues ?? [];
  const wrong = new Set(issues.map(({ path }) => path[0]));
  const faults = [...issues.map(errorLine), ...missingHalves(given), ...databaseFaults(given, wrong)];
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  const env = parsed.data;
  const isPostgres = POSTGRES_URL.test(env.DATABASE_URL);
  const sqliteFile = isPostgres ? null : sqlitePath(env.DATABASE_URL);
  const dataDir = env.DATA_DIR ?? (sqliteFile === null ? "data" : dirname(sqliteFile));
  return {
    host: env.HOST,
    port: env.PORT,
    publicUrl: env.PUBLIC_URL,
    database: { url: env.DATABASE_URL, directUrl: env.DATABASE_DIRECT_URL, pooler: env.DATABASE_POOLER },
    sqliteFile,
    dataDir,
    spoolFile: join(dataDir, "spool.db"),
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
    trackingTtlDays: Math.min(env.TRACKING_TTL_DAYS, env.RETENTION_DAYS),
    timeZone: env.TZ_DISPLAY,
  };
}

/** What the database's variables want of one another: one line a variable. What is wrong by itself is told already. */
function databaseFaults(
  given: Readonly<Record<string, string | undefined>>,
  wrong: ReadonlySet<PropertyKey | undefined>,
): string[] {
  const { DATABASE_URL = "", DATABASE_DIRECT_URL, DATABASE_POOLER } = given;
  if (POSTGRES_URL.test(DATABASE_URL)) {
    // Through a pooler's connections, which change hands, nobody hears a notification, and the lock for migrations stays.
    return DATABASE_POOLER !== undefined && DATABASE_DIRECT_URL === undefined
      ? [lineOf("DATABASE_DIRECT_URL", "is needed beside DATABASE_POOLER, and leads past the pooler")]
      : [];
  }
  const ofPostgres = ["DATABASE_DIRECT_URL", "DATABASE_POOLER"].filter(
    (name) => given[name] !== undefined && !wrong.has(name),
  );
  // Somebody who means a server would be served from a file.
  if (ofPostgres.length === 0 || wrong.has("DATABASE_URL")) return [];
  const names = ofPostgres.join(" and ");
  return [
    lineOf("DATABASE_URL", `must be a postgres:// URL beside ${names}; without them it may be a SQLite file`),
  ];
}

function errorLine(issue: z.core.$ZodIssue): string {
  return lineOf(String(issue.path[0] ?? ""), issue.message);
}
