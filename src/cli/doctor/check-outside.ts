import { existsSync } from "node:fs";
import { join } from "node:path";
import { asc, eq } from "drizzle-orm";
import type { BotApi } from "../../bots/bot-api.ts";
import type { BotRow } from "../../bots/bot-view.ts";
import { askBotWebhook } from "../../bots/bot-webhook.ts";
import { botToken } from "../../bots/connect-bot.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { checkPixel } from "../../meta/check-pixel.ts";
import type { Secrets } from "../../platform/secrets.ts";
import type { PoolRow } from "../../pools/pool-view.ts";
import { pixelCredential } from "../../pools/try-pixel.ts";
import { bad, type Finding, good, warning } from "./finding.ts";

const TIMEOUT_MS = 10_000;
/** What the SQLite file is called in `DATA_DIR` unless DATABASE_URL says otherwise. */
const SQLITE_NAME = "ponte.db";

export interface OutsideDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly config: Config;
  readonly telegram: BotApi;
}

/** Whether Redis answers, where one is configured. */
export async function checkRedis({ redisUrl }: Config): Promise<Finding> {
  if (redisUrl === undefined) return good("redis", "not used");
  const { Redis } = await import("ioredis");
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason = "";
  redis.on("error", (error) => {
    reason = error.message;
  });
  try {
    await redis.connect();
    const startedMs = performance.now();
    await redis.ping();
    return good("redis", `answers in ${(performance.now() - startedMs).toFixed(1)} ms`);
  } catch (error) {
    const text = reason || String(error);
    return bad(
      "redis",
      text,
      "Start Redis, or correct REDIS_URL. Until then only the shared limit is missing.",
    );
  } finally {
    redis.disconnect();
  }
}

/** Whether each pool's token opens and reaches its pixel. `isOnline: false` asks Meta nothing. */
export async function checkPixels(deps: OutsideDeps, isOnline: boolean): Promise<Finding[]> {
  const { pools } = deps.db.tables;
  const rows = await deps.db.select().from(pools).where(eq(pools.enabled, true)).orderBy(asc(pools.id));
  if (rows.length === 0) {
    return [
      warning("pools", "there is none", `Make one: bun run ponte pool add --help${leftBehind(deps.config)}`),
    ];
  }
  const findings = await Promise.all(rows.map((row) => poolFindings(deps, row, isOnline)));
  return findings.flat();
}

/** Whoever points DATABASE_URL at a Postgres may take it for the same database with another engine. */
function leftBehind({ sqliteFile, dataDir }: Config): string {
  const path = join(dataDir, SQLITE_NAME);
  if (sqliteFile !== null || !existsSync(path)) return "";
  return `. ${path} is another database, whose pools and bots do not come along: docs/operations.md says how to move.`;
}

async function poolFindings(deps: OutsideDeps, pool: PoolRow, isOnline: boolean): Promise<Finding[]> {
  const check = `pool ${pool.slug}`;
  if (!pool.metaTrackingEnabled || pool.metaPixelId === null) {
    return [good(check, "sends nothing to Meta: no pixel, or tracking is off")];
  }
  const testing =
    pool.metaTestEventCode === null
      ? []
      : [
          warning(
            check,
            `its test code ${pool.metaTestEventCode} is set: its events show under Test events as well, and Meta still counts them`,
            `bun run ponte pool update ${pool.slug} --test-event-code ""`,
          ),
        ];
  return [...testing, await credentialFinding(deps, check, pool, pool.metaPixelId, isOnline)];
}

async function credentialFinding(
  { secrets, config }: OutsideDeps,
  check: string,
  pool: PoolRow,
  pixelId: string,
  isOnline: boolean,
): Promise<Finding> {
  const newToken = `bun run ponte pool update ${pool.slug} --access-token -`;
  const credential = pixelCredential(secrets, pool);
  if (credential.kind === "no_pixel" || credential.kind === "no_token")
    return bad(check, "it has a pixel and no access token", newToken);
  if (credential.kind === "sealed") return bad(check, credential.reason, newToken);
  const { accessToken } = credential;
  if (!isOnline) return good(check, `pixel ${pixelId}, its token opens (Meta was not asked)`);
  const { graphUrl, graphVersion: version } = config.meta;
  const result = await checkPixel({ graphUrl, version, pixelId, accessToken, timeoutMs: TIMEOUT_MS });
  switch (result.kind) {
    case "reached":
      return good(
        check,
        `its token reaches pixel ${pixelId}${result.name === null ? "" : ` (${result.name})`}`,
      );
    case "refused":
      return bad(check, `Meta refuses its token: ${result.reason}`, newToken);
    case "unreadable":
      return warning(
        check,
        `its token may not read pixel ${pixelId}: ${result.reason}`,
        "A token made for the Conversions API alone may still send. Send a test event from the console to be sure.",
      );
    case "misaddressed":
      return bad(
        check,
        `Meta is asked in a way that it does not know: ${result.reason}`,
        "The token is not to blame. Correct META_GRAPH_VERSION or META_GRAPH_URL.",
      );
    case "unanswered":
      return bad(
        check,
        `Meta did not answer: ${result.reason}`,
        `Check the way to ${graphUrl} (META_GRAPH_URL).`,
      );
  }
}

/**
 * Whether each bot's token opens, is good, and its updates come here, and whether one without a token is heard of.
 * `isOnline: false` asks Telegram nothing.
 */
export async function checkBots(deps: OutsideDeps, isOnline: boolean): Promise<Finding[]> {
  const { bots } = deps.db.tables;
  const rows = await deps.db.select().from(bots).where(eq(bots.enabled, true)).orderBy(asc(bots.id));
  const { publicUrl } = deps.config;
  const address =
    rows.some(({ token }) => token !== null) && !publicUrl?.startsWith("https://")
      ? [
          warning(
            "PUBLIC_URL",
            publicUrl === undefined ? "is not set" : `${publicUrl} is not https`,
            "Telegram sends updates to https addresses only. Set PUBLIC_URL, then bot connect each bot.",
          ),
        ]
      : [];
  const found = await Promise.all(
    rows.map((row) => (row.token === null ? elsewhereFinding(deps, row) : botFinding(deps, row, isOnline))),
  );
  return [...address, ...found];
}

/** Of a bot that Ponte has no token of: somebody must tell of its starts. */
async function elsewhereFinding({ db }: OutsideDeps, { id, username }: BotRow): Promise<Finding> {
  const { botUsers } = db.tables;
  const told = await db.select({ id: botUsers.id }).from(botUsers).where(eq(botUsers.botId, id)).limit(1);
  const check = `bot @${username}`;
  if (told.length > 0) return good(check, "it has no token: its starts are told through the API");
  return warning(
    check,
    "it has no token, and nobody has told of a start: Ponte cannot answer in it",
    `Give it its token: bun run ponte bot add --username ${username} --token -. If it lives elsewhere, let it tell of starts (docs/telegram.md).`,
  );
}

async function botFinding(
  { config, ...deps }: OutsideDeps,
  bot: BotRow,
  isOnline: boolean,
): Promise<Finding> {
  const check = `bot @${bot.username}`;
  const newToken = `bun run ponte bot update ${bot.username} --token -`;
  const connect = `bun run ponte bot connect ${bot.username}`;
  if (!isOnline) {
    const token = botToken(deps.secrets, bot);
    return token.kind === "sealed"
      ? bad(check, token.reason, newToken)
      : good(check, "its token opens (Telegram was not asked)");
  }
  const webhook = await askBotWebhook({ ...deps, publicUrl: config.publicUrl }, bot);
  switch (webhook.kind) {
    case "no_token":
      return good(check, "it has no token: its updates are not ours");
    case "sealed":
      return bad(check, webhook.reason, newToken);
    case "refused":
      return bad(check, `Telegram refuses its token: ${webhook.reason}`, newToken);
    case "unreachable":
      return bad(check, `Telegram did not answer: ${webhook.reason}`, "Check the way to TELEGRAM_API_URL.");
    case "elsewhere": {
      const text = webhook.url === "" ? "its webhook is not set" : `its updates go to ${webhook.url}`;
      return bad(check, text, webhook.expected === null ? `Set PUBLIC_URL, then: ${connect}` : connect);
    }
    case "connected":
      return webhook.lastError === null
        ? good(check, `its webhook is set, ${webhook.waiting} updates waiting`)
        : warning(
            check,
            `Telegram last failed to reach us (${webhook.lastErrorAt?.toISOString()}): ${webhook.lastError}`,
            "Open PUBLIC_URL from outside; certificate and proxy are the usual causes.",
          );
  }
}
