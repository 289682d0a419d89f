import type { Database } from "../db/database.ts";
import { isDuplicate } from "../db/fault.ts";
import { unlessAborted } from "../platform/deadline.ts";
import type { Log } from "../platform/log.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { BotApi } from "./bot-api.ts";
import { namesakeOf, renameBot } from "./bot-rename.ts";
import { botToken } from "./bot-token.ts";
import type { BotRow } from "./bot-view.ts";

/** Who the audit log names for what Telegram says of bots. */
export const ACTOR = "bot health";

/** What watching bots works with. */
export interface WatchDeps {
  readonly db: Database;
  readonly secrets: Secrets;
  readonly telegram: Pick<BotApi, "identify">;
  readonly log: Log;
  readonly now: () => Date;
}

/**
 * Renames a bot here that was renamed at @BotFather, for its old name leads nowhere or to a stranger; bots that swapped
 * names swap them.
 */
export function createNameFollower(deps: WatchDeps) {
  const { db, log } = deps;
  /** By bot, the new name that another bot has here, so that the log tells of it once. */
  const taken = new Map<number, string>();

  async function followName(bot: BotRow, username: string, signal: AbortSignal): Promise<void> {
    const other = await namesakeOf(db, db.tables, bot, username);
    if (other && !(await hasAnotherName(other, username, signal))) {
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
    }
    const renaming = renameBot(deps, ACTOR, { bot, username, other }).catch((error) => {
      if (isDuplicate(error)) return "overtaken";
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
      case "overtaken":
        return followName(bot, username, signal);
      case "no_news":
        return;
    }
  }

  /** Whether Telegram knows a bot that has the name here by another one now. */
  async function hasAnotherName(bot: BotRow, username: string, signal: AbortSignal): Promise<boolean> {
    const token = botToken(deps.secrets, bot);
    if (token.kind !== "ready") return false;
    const identity = await unlessAborted(deps.telegram.identify(token.token), signal);
    return identity.kind === "known" && identity.username.toLowerCase() !== username.toLowerCase();
  }

  return followName;
}
