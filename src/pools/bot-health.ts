import { and, asc, eq, inArray, isNotNull } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import type { Log } from "../platform/log.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import type { Secrets } from "../platform/secrets.ts";
import { recordAudit } from "./audit.ts";
import type { BotApi } from "./bot-api.ts";
import { type BotRow, findBotRow } from "./bot-view.ts";
import { botToken } from "./connect-bot.ts";
import { nextStamp } from "./stamp.ts";

const EVERY_MINUTE = "40 * * * * *";
/** One refusal may be anything; so many in a row, a minute apart, are about the token. */
const REFUSALS_TO_BELIEVE = 2;
/** Who the audit log names. */
const ACTOR = "bot health";

interface BotHealthDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly telegram: Pick<BotApi, "identify">;
  readonly log: Log;
  readonly now: () => Date;
}

/**
 * Keeps visitors from bots that are no more: asks Telegram about every bot with a token, and one whose token it refuses
 * (banned, deleted, revoked) gets no more of them until the token is good again. Telegram being away says nothing about
 * a bot. A bot without a token lives elsewhere, and counts as healthy. Who was renamed at @BotFather is renamed here: the
 * old name leads nowhere any more, or to a stranger. Bots that swapped names do so here. Any number of processes may do
 * so side by side.
 */
export function createBotHealth(deps: BotHealthDeps): Periodic<void> {
  const { db, log } = deps;
  const refusals = new Map<number, number>();
  /** Names that bots have at Telegram and cannot have here, as the log was told, by bot. */
  const taken = new Map<number, string>();

  async function checkAll(): Promise<void> {
    const { bots } = db.tables;
    const rows = await db
      .select({ id: bots.id })
      .from(bots)
      .where(and(eq(bots.enabled, true), isNotNull(bots.token)));
    for (const { id } of rows) {
      // As it is now: one before it may have got its name.
      const [bot] = await db.select().from(bots).where(eq(bots.id, id));
      if (bot) await checkOne(bot);
    }
  }

  async function checkOne(bot: BotRow): Promise<void> {
    const token = botToken(deps.secrets, bot);
    // One that cannot be opened is nothing that Telegram said: `ponte doctor` and the console tell.
    if (token.kind !== "ready") return;
    const identity = await deps.telegram.identify(token.token);
    switch (identity.kind) {
      case "unreachable":
        return;
      case "known":
        refusals.delete(bot.id);
        if (!bot.healthy && (await recordHealth(deps, bot, null))) {
          log.info({ bot: bot.username }, "Telegram takes the bot's token again; visitors are sent to it");
        }
        if (identity.username !== bot.username) await followName(bot, identity.username);
        return;
      case "refused": {
        const count = (refusals.get(bot.id) ?? 0) + 1;
        refusals.set(bot.id, count);
        if (count < REFUSALS_TO_BELIEVE || !bot.healthy) return;
        if (await recordHealth(deps, bot, identity.reason)) {
          const todo = `ponte bot update ${bot.username} --token - (or take the bot out of its pools)`;
          log.error(
            { bot: bot.username, reason: identity.reason, todo },
            "Telegram refuses the bot's token: no more visitors are sent to it",
          );
        }
        return;
      }
    }
  }

  async function followName(bot: BotRow, username: string): Promise<void> {
    switch (await recordName(deps, bot, username, await formerOwner(bot, username))) {
      case "renamed":
        taken.delete(bot.id);
        log.warn(
          { bot: username, before: bot.username },
          "the bot was renamed at Telegram; links go to its new name",
        );
        return;
      case "taken":
        if (taken.get(bot.id) === username) return;
        taken.set(bot.id, username);
        log.error(
          {
            bot: bot.username,
            username,
            todo: `remove the other @${username}, or take @${bot.username} out of its pools`,
          },
          "the bot was renamed at Telegram, and another bot has that name here: its links lead nowhere",
        );
        return;
      case "no_news":
        return;
    }
  }

  /** The other bot that has the name here, where it is called otherwise at Telegram by now. */
  async function formerOwner(bot: BotRow, username: string): Promise<BotRow | undefined> {
    const other = await findBotRow(db, db.tables, username);
    if (other === undefined || other.id === bot.id) return undefined;
    const token = botToken(deps.secrets, other);
    if (token.kind !== "ready") return undefined;
    const identity = await deps.telegram.identify(token.token);
    const isFormer = identity.kind === "known" && identity.username.toLowerCase() !== username.toLowerCase();
    return isFormer ? other : undefined;
  }

  const turns = {
    schedule: EVERY_MINUTE,
    failed: "the bots' health could not be checked; again in a minute",
    worked: "the bots' health can be checked again",
  };
  return periodic(deps, turns, checkAll);
}

/** `reason`: why it is not healthy. Answers whether that is news, and still about the token that was asked about. */
async function recordHealth(
  { db, now }: BotHealthDeps,
  bot: BotRow,
  reason: string | null,
): Promise<boolean> {
  const { tables } = db;
  const { bots } = tables;
  const healthy = reason === null;
  return db.transaction(async (tx) => {
    const at = await nextStamp(tx, tables, now());
    const changed = await tx
      .update(bots)
      .set({ healthy, healthReason: reason, updatedAt: at })
      .where(and(eq(bots.id, bot.id), eq(bots.healthy, !healthy), eq(bots.token, bot.token ?? "")))
      .returning({ id: bots.id });
    if (changed.length === 0) return false;
    await recordAudit(tx, tables, {
      at,
      actor: ACTOR,
      action: healthy ? "bot.healthy" : "bot.unhealthy",
      subject: `bot:${bot.username}`,
      after: { healthy, health_reason: reason },
    });
    await tx.notify("pools");
    return true;
  });
}

/**
 * Gives a bot the name that it has at Telegram, where it still has the name and the token that were asked about. A bot
 * that has that name here and not at Telegram, `former`, gets its old one in exchange, until its own turn comes; that of
 * one that is switched off comes once it is switched on.
 */
async function recordName(
  { db, now }: BotHealthDeps,
  bot: BotRow,
  username: string,
  former: BotRow | undefined,
): Promise<"renamed" | "taken" | "no_news"> {
  const { tables } = db;
  const { bots } = tables;
  return db.transaction(async (tx) => {
    const namesake = await findBotRow(tx, tables, username);
    const other = namesake?.id === bot.id ? undefined : namesake;
    if (other && other.token !== former?.token) return "taken";
    const at = await nextStamp(tx, tables, now());
    await stampPools(tx, tables, other ? [bot.id, other.id] : [bot.id], at);
    const rename = async (before: BotRow, to: string) => {
      await tx.update(bots).set({ username: to, updatedAt: at }).where(eq(bots.id, before.id));
      await recordAudit(tx, tables, {
        at,
        actor: ACTOR,
        action: "bot.rename",
        subject: `bot:${before.username}`,
        before: { username: before.username },
        after: { username: to },
      });
    };
    // Out of the way of the other: no two have one name at any time, and this is nobody's.
    const moved = await tx
      .update(bots)
      .set({ username: `@${bot.id}` })
      .where(and(eq(bots.id, bot.id), eq(bots.username, bot.username), eq(bots.token, bot.token ?? "")))
      .returning({ id: bots.id });
    if (moved.length === 0) return "no_news";
    if (other) await rename(other, bot.username);
    await rename(bot, username);
    await tx.notify("pools");
    return "renamed";
  });
}

/**
 * Gives the bots' pools a new version: whoever has a page of one open would bring the old name back with it, as a bot of
 * its own. Before the bots, as when a pool is saved, and in the order of their numbers, as visits lock them: nobody waits
 * crosswise.
 */
async function stampPools(tx: Tx, tables: Tables, botIds: readonly number[], at: Date): Promise<void> {
  const { pools, poolBots } = tables;
  const members = await tx
    .selectDistinct({ id: poolBots.poolId })
    .from(poolBots)
    .where(inArray(poolBots.botId, [...botIds]))
    .orderBy(asc(poolBots.poolId));
  for (const { id } of members) {
    await tx.update(pools).set({ updatedAt: at }).where(eq(pools.id, id));
  }
}
