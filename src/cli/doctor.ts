import { telegramBotApi } from "../bots/telegram-bot-api.ts";
import { type Config, readConfig } from "../config.ts";
import type { Database } from "../db/database.ts";
import { misspelt } from "../platform/misspelt.ts";
import { type Context, defineCommand, Refused } from "./command.ts";
import { checkBots } from "./doctor/check-bots.ts";
import { checkClocks } from "./doctor/check-clock.ts";
import { checkDirect } from "./doctor/check-direct.ts";
import {
  checkDamagedSpools,
  checkDatabaseRoom,
  checkDataDir,
  checkOthersVisits,
  checkSpool,
} from "./doctor/check-disk.ts";
import { checkEncoding } from "./doctor/check-encoding.ts";
import { checkNumbers } from "./doctor/check-numbers.ts";
import { checkOffers } from "./doctor/check-offers.ts";
import { checkDispatcher, checkOutbox, checkPartial } from "./doctor/check-outbox.ts";
import { checkPixels } from "./doctor/check-pixels.ts";
import { checkRedis } from "./doctor/check-redis.ts";
import { checkSales } from "./doctor/check-sales.ts";
import { checkSecret } from "./doctor/check-secret.ts";
import { checkMigrations, checkTables, checkViews } from "./doctor/check-tables.ts";
import { bad, type Finding, good, warning } from "./doctor/finding.ts";
import type { OutsideDeps } from "./doctor/outside-deps.ts";
import { failureText } from "./failure.ts";
import { answer, cellText, count } from "./print.ts";
import { isMissing, withDatabase } from "./with-database.ts";

export const doctor = defineCommand({
  name: "doctor",
  summary: "Check everything Ponte needs, and say what to do",
  options: { offline: { type: "boolean", help: "ask nothing of Meta and Telegram" } },
  details:
    "Checks the database with its tables and rights, the clocks, Redis, the dispatcher, held-up events, sales that were not reported, the data folder and its spool, pixel credentials, bot webhooks and who takes the money for the offers. Changes nothing and sends no event. Exit code 1 where something is wrong.",
  async run(given, _values, context) {
    const config = readConfig(context.terminal.environment);
    const isOnline = given.offline !== true;
    const findings = [
      ...(await databaseFindings(config, context, isOnline)),
      ...(await guarded("redis", context, () => checkRedis(config))),
      ...checkDatabaseRoom(config),
      checkDataDir(config),
      ...(await guarded("spool", context, async () => checkSpool(config))),
      ...(await guarded("spool", context, async () => checkDamagedSpools(config))),
      ...misspelt(context.terminal.environment).map(({ name, meant }) =>
        warning(name, "is no setting of Ponte's", `Did you mean ${meant}?`),
      ),
    ];
    const wrong = findings.filter(({ level }) => level === "bad").length;
    answer(context, { healthy: wrong === 0, findings }, () => findings.map(findingText).join("\n"));
    if (wrong > 0) throw new Refused(`\n${count(wrong, "thing is", "things are")} wrong.`);
  },
});

async function databaseFindings(config: Config, context: Context, isOnline: boolean): Promise<Finding[]> {
  const { sqliteFile } = config;
  if (sqliteFile !== null && isMissing(sqliteFile)) {
    return [bad("database", `there is none at ${sqliteFile}`, "Make it: bun run ponte migrate")];
  }
  return guarded("database", context, () =>
    withDatabase(
      context,
      async ({ db, secrets }) => {
        const structure = [
          ...(await structureFindings(db, config)),
          ...(await guarded("DATABASE_DIRECT_URL", context, () => checkDirect(db, config))),
        ];
        // What follows reads those tables.
        if (structure.some(({ level }) => level === "bad")) return structure;
        const telegram = telegramBotApi(config.telegramApiUrl);
        const checks = contentChecks({ db, secrets, config, telegram, isOnline });
        const found = await Promise.all(checks.map(([name, check]) => guarded(name, context, check)));
        return [...structure, ...found.flat()];
      },
      // It stands among the findings.
      { tellsMisspelt: false },
    ),
  );
}

/** Whether the database answers, and has what this version needs. */
async function structureFindings(db: Database, config: Config): Promise<Finding[]> {
  const user = databaseUser(config);
  const reached = await reach(db);
  const migrations = await checkMigrations(db, user);
  return [reached, migrations, ...(await checkTables(db, user))];
}

/** What is asked of a database whose tables are sound, in the order in which it is told. */
function contentChecks(outside: OutsideDeps): readonly (readonly [name: string, check: Check])[] {
  const { db, config, isOnline } = outside;
  return [
    ["APP_SECRET", () => checkSecret(outside)],
    ["views", () => checkViews(db, databaseUser(config))],
    ["numbers", () => checkNumbers(db)],
    ["encoding", () => checkEncoding(db)],
    ["spool", () => checkOthersVisits(db, config)],
    ["clock", () => checkClocks(db, config, isOnline)],
    ["dispatcher", () => checkDispatcher(db)],
    ["outbox", () => checkOutbox(db)],
    ["meta", () => checkPartial(db)],
    ["sales", () => checkSales(db, config)],
    ["pools", () => checkPixels(outside)],
    ["bots", () => checkBots(outside)],
    ["offers", () => checkOffers(db, config.payments)],
  ];
}

type Check = () => Promise<Finding | Finding[]>;

async function reach(db: Database): Promise<Finding> {
  const startedMs = performance.now();
  await db.transaction(async () => undefined);
  return good("database", `${db.dialect.name} answers in ${(performance.now() - startedMs).toFixed(1)} ms`);
}

function databaseUser({ database }: Config): string {
  return URL.canParse(database.url) ? decodeURIComponent(new URL(database.url).username) : "";
}

/** A check that fails itself is a finding too, and stops no other. */
async function guarded(name: string, { terminal }: Context, check: Check): Promise<Finding[]> {
  try {
    return [await check()].flat();
  } catch (error) {
    const [text = "", todo = "Put that right and run doctor again."] = failureText(
      error,
      terminal.environment,
    ).split("\n");
    return [bad(name, text, todo)];
  }
}

const MARKS = { good: "✓", warning: "!", bad: "✗" } as const;

function findingText({ check, level, text, todo }: Finding): string {
  return [`${MARKS[level]} ${check}: ${cellText(text)}`, ...(todo === null ? [] : [`    ${todo}`])].join(
    "\n",
  );
}
