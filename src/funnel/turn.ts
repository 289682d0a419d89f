import type { Context } from "grammy";
import type { User } from "grammy/types";
import type { BotRow } from "../bots/bot-view.ts";
import type { Database, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { despiteDeadlock } from "../db/despite-deadlock.ts";
import type { DeniedPolicy } from "../meta/consent.ts";
import type { Log } from "../platform/log.ts";
import { storableText } from "../platform/storable-text.ts";
import type { Person } from "../tracking/bot-users.ts";
import type { RecallVisit } from "../tracking/recall-visit.ts";
import type { Sales } from "./sales.ts";

/** What everything in the conversation works with. */
export interface ConversationDeps {
  readonly db: Database;
  readonly log: Log;
  readonly now: () => Date;
  readonly sales: Sales;
  readonly recallVisit: RecallVisit;
  /** What becomes of the events of somebody who denied consent. */
  readonly consentDenied: DeniedPolicy;
}

/** One update's turn in the conversation. */
export interface Turn {
  readonly deps: ConversationDeps;
  readonly bot: BotRow;
  readonly now: Date;
  readonly updateId: number;
  /** Runs `work` in a transaction that also notes the update; of any number of copies of it, once. */
  once(work: (tx: Tx) => Promise<void>): Promise<void>;
}

/** grammy's context with the turn in it. */
export type FunnelContext = Context & { turn: Turn };

/** Begins the turn of an update; its time stands still. */
export function createTurn(deps: ConversationDeps, bot: BotRow, updateId: number): Turn {
  const now = deps.now();
  return {
    deps,
    bot,
    now,
    updateId,
    // Telegram would send it again, but not at once, and somebody waits for the answer.
    once: (work) =>
      despiteDeadlock(() =>
        deps.db.transaction(async (tx) => {
          const update = { botId: bot.id, updateId, createdAt: now };
          if (await noteUpdate(tx, deps.db.tables, update)) await work(tx);
        }),
      ),
  };
}

/**
 * Notes that an update is handled, as of `createdAt`. Answers whether it is new; a copy that is handled elsewhere at this
 * moment is waited for.
 */
export async function noteUpdate(
  tx: Tx,
  { telegramUpdates }: Tables,
  update: { readonly botId: number; readonly updateId: number; readonly createdAt: Date },
): Promise<boolean> {
  const [isNew = false] = await tx.insertMany(telegramUpdates, ["botId", "updateId"], [update]);
  return isNew;
}

/** Telegram's user as we know people. */
export function personOf(user: User): Person {
  return {
    telegramUserId: String(user.id),
    username: storable(user.username),
    firstName: storable(user.first_name),
    languageCode: storable(user.language_code),
  };
}

function storable(text: string | undefined): string | undefined {
  return text === undefined ? undefined : storableText(text);
}
