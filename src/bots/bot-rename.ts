import { and, asc, eq, inArray } from "drizzle-orm";
import { recordAudit } from "../audit/audit-log.ts";
import type { Database, Reader, Tx } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { nextUpdatedAt } from "../db/next-updated-at.ts";
import { type BotRow, findBotRow } from "./bot-view.ts";

/** The other bot that has the name here. */
export async function namesakeOf(
  reader: Reader,
  tables: Tables,
  bot: BotRow,
  username: string,
): Promise<BotRow | undefined> {
  const namesake = await findBotRow(reader, tables, username);
  return namesake?.id === bot.id ? undefined : namesake;
}

/** The name that a bot has at Telegram now, and the bot that has it here. */
interface Renaming {
  readonly bot: BotRow;
  readonly username: string;
  readonly other: BotRow | undefined;
}

/**
 * Gives a bot the name that it has at Telegram, unless its name or token has changed since Telegram was asked. `other`,
 * the bot that has the name here and not at Telegram, gets the old name in exchange until it is checked itself (one that
 * is switched off: once it is switched on). `overtaken`: by now another bot has the name, or `other` another name or token.
 */
export async function renameBot(
  { db, now }: { readonly db: Database; readonly now: () => Date },
  actor: string,
  { bot, username, other }: Renaming,
): Promise<"renamed" | "overtaken" | "no_news"> {
  const { tables } = db;
  const { pools, bots } = tables;
  return db.transaction(async (tx) => {
    const poolIds = await lockPools(tx, db, other ? [bot.id, other.id] : [bot.id]);
    // By number, so that two that swap the same bots never wait crosswise.
    for (const one of (other ? [bot, other] : [bot]).toSorted((a, b) => a.id - b.id)) {
      if (!(await lockUnchanged(tx, tables, one))) return one === bot ? "no_news" : "overtaken";
    }
    if ((await namesakeOf(tx, tables, bot, username))?.id !== other?.id) return "overtaken";
    const at = await nextUpdatedAt(tx, tables, now());
    // A page opened before is refused: saving it would make a new bot of the old name.
    await tx.update(pools).set({ updatedAt: at }).where(inArray(pools.id, poolIds));
    const rename = async (before: BotRow, to: string) => {
      await tx.update(bots).set({ username: to, updatedAt: at }).where(eq(bots.id, before.id));
      await recordAudit(tx, tables, {
        at,
        actor,
        action: "bot.rename",
        subject: `bot:${before.username}`,
        before: { username: before.username },
        after: { username: to },
      });
    };
    if (other) {
      // First to a name that no bot can have: names are unique, even while two swap theirs.
      await tx
        .update(bots)
        .set({ username: `@${bot.id}` })
        .where(eq(bots.id, bot.id));
      await rename(other, bot.username);
    }
    await rename(bot, username);
    await tx.notify("pools");
    return "renamed";
  });
}

/**
 * Locks the bots' pools, and answers their numbers. In the same order as saving a pool and counting visits do (pools by
 * number, then bots), so that none of them waits for another that waits for it.
 */
async function lockPools(
  tx: Tx,
  { dialect, tables }: Database,
  botIds: readonly number[],
): Promise<number[]> {
  const { pools, poolBots } = tables;
  const members = tx
    .select({ id: poolBots.poolId })
    .from(poolBots)
    .where(inArray(poolBots.botId, [...botIds]));
  const locked = await dialect.locked(
    tx.select({ id: pools.id }).from(pools).where(inArray(pools.id, members)).orderBy(asc(pools.id)),
  );
  return locked.map(({ id }) => id);
}

/**
 * Locks a bot, where its name and token are still these. By an update, which leaves those alone who only keep it from
 * being removed: a pool that is being saved may wait for a name that this transaction waits to take.
 */
async function lockUnchanged(tx: Tx, { bots }: Tables, { id, username, token }: BotRow): Promise<boolean> {
  const locked = await tx
    .update(bots)
    .set({ username })
    .where(and(eq(bots.id, id), eq(bots.username, username), eq(bots.token, token ?? "")))
    .returning({ id: bots.id });
  return locked.length > 0;
}
