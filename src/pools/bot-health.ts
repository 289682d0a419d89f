import { and, asc, eq, inArray, isNotNull } from "drizzle-orm";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isDuplicate } from "../db/fault.ts";
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
 * Asks Telegram every minute about each bot that is switched on and has a token (one without lives elsewhere, and counts
 * as healthy). A bot whose token is refused (it was banned or deleted, or the token revoked) is sent no visitors until the
 * token is good again; no answer says nothing about a bot. A bot that was renamed at @BotFather is renamed here too, for
 * its old name leads nowhere or to a stranger, and bots that swapped names swap them. Several processes may do this at once.
 */
export function createBotHealth(deps: BotHealthDeps): Periodic<void> {
  const { db, log } = deps;
  const refusals = new Map<number, number>();
  /** By bot, the new name that another bot has here, so that the log tells of it once. */
  const taken = new Map<number, string>();

  async function checkAll(): Promise<void> {
    const { bots } = db.tables;
    const rows = await db
      .select({ id: bots.id })
      .from(bots)
      .where(and(eq(bots.enabled, true), isNotNull(bots.token)));
    for (const { id } of rows) {
      // Read anew: the check of a bot before this one may have renamed it.
      const [bot] = await db.select().from(bots).where(eq(bots.id, id));
      if (bot) await checkOne(bot);
    }
  }

  async function checkOne(bot: BotRow): Promise<void> {
    const token = botToken(deps.secrets, bot);
    // A token that cannot be opened says nothing about the bot; `ponte doctor` and the console tell of it.
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
    const former = await formerOwner(bot, username);
    const renaming = recordName(deps, bot, username, former).catch((error) => {
      // Somebody made a bot of that name meanwhile.
      if (isDuplicate(error)) return "taken";
      throw error;
    });
    switch (await renaming) {
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

  /** The other bot that has the name here, if Telegram knows it by another one now. */
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

/** Writes down why a bot is not healthy; null: it is. False where that is no news, or its token is another one by now. */
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
 * Gives a bot the name that it has at Telegram, unless its name or token has changed since Telegram was asked. `former`,
 * the bot that has the name here and not at Telegram, gets the old name in exchange until it is checked itself (one that
 * is switched off: once it is switched on).
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
    // First to a name that no bot can have: names are unique, even while two swap theirs.
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
 * Gives the bots' pools a new version, so that a page opened before is refused: saving it would make a new bot of the old
 * name. Locks in the same order as saving a pool and counting visits do (pools by number, then bots), so that none of
 * them waits for another that waits for it.
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
