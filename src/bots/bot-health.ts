import { and, eq, isNotNull } from "drizzle-orm";
import { recordAudit } from "../audit/audit-log.ts";
import { nextUpdatedAt } from "../db/next-updated-at.ts";
import { unlessAborted } from "../platform/deadline.ts";
import { type Periodic, periodic } from "../platform/periodic.ts";
import { botToken } from "./bot-token.ts";
import type { BotRow } from "./bot-view.ts";
import { ACTOR, createNameFollower, type WatchDeps } from "./follow-name.ts";

const EVERY_MINUTE = "40 * * * * *";
/** One refusal may be anything; so many in a row, a minute apart, are about the token. */
const REFUSALS_TO_BELIEVE = 2;

/**
 * Asks Telegram every minute about each bot that is switched on and has a token (one without lives elsewhere, and counts
 * as healthy). A bot whose token is refused (it was banned or deleted, or the token revoked) is sent no visitors until the
 * token is good again; no answer says nothing about a bot. Its name is followed, too. Several processes may do this at once.
 */
export function createBotHealth(deps: WatchDeps): Periodic<void> {
  const { db, log } = deps;
  const refusals = new Map<number, number>();
  const followName = createNameFollower(deps);

  async function checkAll(signal: AbortSignal): Promise<void> {
    const { bots } = db.tables;
    const rows = await db
      .select({ id: bots.id })
      .from(bots)
      .where(and(eq(bots.enabled, true), isNotNull(bots.token)));
    for (const { id } of rows) {
      // Read anew: the check of a bot before this one may have renamed it.
      const [bot] = await db.select().from(bots).where(eq(bots.id, id));
      if (bot) await checkOne(bot, signal);
    }
  }

  async function checkOne(bot: BotRow, signal: AbortSignal): Promise<void> {
    const token = botToken(deps.secrets, bot);
    // A token that cannot be opened says nothing about the bot; `ponte doctor` and the console tell of it.
    if (token.kind !== "ready") return;
    const identity = await unlessAborted(deps.telegram.identify(token.token), signal);
    switch (identity.kind) {
      case "unreachable":
        return;
      case "known":
        refusals.delete(bot.id);
        if (!bot.healthy && (await recordHealth(deps, bot, null))) {
          log.info({ bot: bot.username }, "Telegram takes the bot's token again; visitors are sent to it");
        }
        if (identity.username !== bot.username) await followName(bot, identity.username, signal);
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

  const job = {
    schedule: EVERY_MINUTE,
    failed: "the bots' health could not be checked; again in a minute",
    worked: "the bots' health can be checked again",
  };
  return periodic(deps, job, checkAll);
}

/** Writes down why a bot is not healthy; null: it is. False where that is no news, or its token is another one by now. */
async function recordHealth({ db, now }: WatchDeps, bot: BotRow, reason: string | null): Promise<boolean> {
  const { tables } = db;
  const { bots } = tables;
  const healthy = reason === null;
  return db.transaction(async (tx) => {
    const at = await nextUpdatedAt(tx, tables, now());
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
