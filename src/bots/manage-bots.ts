import { eq } from "drizzle-orm";
import { recordAudit, viewChanges } from "../audit/audit-log.ts";
import type { Reader } from "../db/database.ts";
import type { Tables } from "../db/define-schema.ts";
import { isReferenced } from "../db/is-referenced.ts";
import { nextUpdatedAt, type Overtaken } from "../db/next-updated-at.ts";
import { botCredentialChanged } from "../outbox/resume-route.ts";
import { changedOf } from "../platform/changed-of.ts";
import type { Secrets } from "../platform/secrets.ts";
import type { BotChange, BotDraft } from "./bot-rules.ts";
import { checkToken, type TokenCheck, tokenColumns } from "./bot-token.ts";
import { type BotRow, type BotView, findBot, findBotRow, lockBotRow } from "./bot-view.ts";
import {
  type BotDeps,
  connectBot,
  disconnectBot,
  type WebhookRemoval,
  type WebhookState,
} from "./connect-bot.ts";

type VerifiedToken = Extract<TokenCheck, { kind: "verified" }>;
type TokenTrouble = Exclude<TokenCheck, VerifiedToken>;

/** What became of a draft. */
export type CreateBotResult =
  | { readonly kind: "created"; readonly bot: BotView; readonly webhook: WebhookState }
  | { readonly kind: "username_taken" }
  | TokenTrouble;

/** What became of a change. */
export type UpdateBotResult =
  | { readonly kind: "updated"; readonly bot: BotView; readonly webhook: WebhookState }
  | Unsaved
  | TokenTrouble;

type Unsaved = { readonly kind: "unchanged"; readonly bot: BotView } | { readonly kind: "not_found" };

type SavedChange =
  | { readonly kind: "updated"; readonly bot: BotView; readonly was: BotRow }
  | Unsaved
  | Overtaken<BotView>;

/** A bot as an editor saw it. */
type SeenBot = Pick<BotView, "username" | "updated_at">;

/** What became of a removal. */
export type DeleteBotResult =
  | { readonly kind: "deleted"; readonly webhook: WebhookRemoval }
  | { readonly kind: "not_found" }
  /** A pool, an offer or a person names it: disable it instead. */
  | { readonly kind: "in_use" };

/** Makes a bot. A token is verified at Telegram first, and its webhook set once the bot is saved. */
export async function createBot(deps: BotDeps, actor: string, draft: BotDraft): Promise<CreateBotResult> {
  const { db, secrets, telegram, now } = deps;
  const { tables } = db;
  if (await findBotRow(db, tables, draft.username)) return { kind: "username_taken" };
  const { token } = draft;
  const check = token
    ? await checkToken(telegram, { username: draft.username, telegramId: null }, token)
    : null;
  if (check !== null && check.kind !== "verified") return check;

  const created = await db.transaction(async (tx) => {
    if (await findBotRow(tx, tables, draft.username)) return null;
    const at = await nextUpdatedAt(tx, tables, now());
    const inserted = await tx
      .insert(tables.bots)
      .values({
        ...botColumns(draft),
        // Telegram's own spelling, where Telegram was asked.
        username: check?.username ?? draft.username,
        ...(token && check && tokenColumns(token, check.telegramId, secrets, null)),
        ...paymentColumns(draft, null, secrets),
        createdAt: at,
        updatedAt: at,
      })
      .onConflictDoNothing()
      .returning({ id: tables.bots.id });
    if (inserted.length === 0) return null;
    const bot = await writtenBot(tx, tables, draft.username);
    const subject = `bot:${bot.username}`;
    await recordAudit(tx, tables, { at, actor, action: "bot.create", subject, after: bot });
    await tx.notify("pools");
    return bot;
  });
  if (created === null) return { kind: "username_taken" };
  return { kind: "created", bot: created, webhook: await webhookOf(deps, created) };
}

/**
 * Changes what `change` names. A new token is verified first and its webhook set; null takes the token away, and the
 * webhook with it.
 */
export function updateBot(
  deps: BotDeps,
  actor: string,
  username: string,
  change: BotChange,
): Promise<UpdateBotResult>;
/** The same for an editor who saw the bot like that: a later version is not written over. */
export function updateBot(
  deps: BotDeps,
  actor: string,
  seen: SeenBot,
  change: BotChange,
): Promise<UpdateBotResult | Overtaken<BotView>>;
export async function updateBot(
  deps: BotDeps,
  actor: string,
  known: string | SeenBot,
  change: BotChange,
): Promise<UpdateBotResult | Overtaken<BotView>> {
  const { db, secrets, telegram, now } = deps;
  const { tables } = db;
  const { bots } = tables;
  const { username, updated_at: seen } = typeof known === "string" ? { username: known } : known;
  const found = await findBotRow(db, tables, username);
  if (found === undefined) return { kind: "not_found" };
  const { token } = change;
  const check = token ? await checkToken(telegram, found, token) : null;
  if (check !== null && check.kind !== "verified") return check;

  const saved = await db.transaction(async (tx): Promise<SavedChange> => {
    const row = await lockBotRow(tx, db, username);
    if (row === undefined) return { kind: "not_found" };
    const before = await writtenBot(tx, tables, username);
    const columns = changedColumns(row, change, check, secrets);
    if (Object.keys(columns).length === 0) return { kind: "unchanged", bot: before };
    if (seen !== undefined && seen !== before.updated_at) return { kind: "overtaken", current: before };
    const at = await nextUpdatedAt(tx, tables, now());
    await tx
      .update(bots)
      .set({ ...columns, updatedAt: at })
      .where(eq(bots.id, row.id));
    const bot = await writtenBot(tx, tables, username);
    // What waited for a good token may go again.
    if (columns.token || columns.paymentToken) await botCredentialChanged(tx, db, bot.id);
    const subject = `bot:${bot.username}`;
    const sealed = { token: columns.token, payment_token: columns.paymentToken };
    const changes = viewChanges(before, bot, sealed);
    await recordAudit(tx, tables, { at, actor, action: "bot.update", subject, ...changes });
    await tx.notify("pools");
    return { kind: "updated", bot, was: row };
  });
  if (saved.kind !== "updated") return saved;
  const { bot, was } = saved;
  return { kind: "updated", bot, webhook: await webhookAfter(deps, token, was, bot) };
}

/** Removes a bot that nothing names; then its webhook, so that Telegram does not go on sending its updates here. */
export async function deleteBot(deps: BotDeps, actor: string, username: string): Promise<DeleteBotResult> {
  const removed = await removeRow(deps, actor, username);
  if (removed.kind !== "deleted") return removed;
  return { kind: "deleted", webhook: await disconnectBot(deps, removed.row) };
}

type RemovedRow =
  | { readonly kind: "deleted"; readonly row: BotRow }
  | Exclude<DeleteBotResult, { kind: "deleted" }>;

async function removeRow({ db, now }: BotDeps, actor: string, username: string): Promise<RemovedRow> {
  const { tables } = db;
  return db.transaction(async (tx) => {
    const { bots, poolBots, botUsers, offers } = tables;
    // Whoever is just about to name it is waited for, and seen below.
    const row = await lockBotRow(tx, db, username);
    if (row === undefined) return { kind: "not_found" };
    const bot = await writtenBot(tx, tables, username);
    const isInUse = await isReferenced(tx, [poolBots.botId, botUsers.botId, offers.botId], bot.id);
    if (isInUse) return { kind: "in_use" };
    await tx.delete(bots).where(eq(bots.id, bot.id));
    const subject = `bot:${bot.username}`;
    await recordAudit(tx, tables, { at: now(), actor, action: "bot.delete", subject, before: bot });
    await tx.notify("pools");
    return { kind: "deleted", row };
  });
}

function botColumns({ enabled, locale, welcome }: BotChange) {
  return { enabled, locale, welcome: welcome?.replaceAll("\r\n", "\n") ?? welcome };
}

function paymentColumns(
  { payment_token: token }: BotChange,
  current: string | null,
  secrets: Secrets,
): Partial<Pick<BotRow, "paymentToken">> {
  if (token === undefined || (token === null && current === null)) return {};
  return { paymentToken: token === null ? null : secrets.seal(token, "bots.payment_token") };
}

/** Only what really becomes different; a token that is given counts as such, for a sealed one tells nothing. */
function changedColumns(
  row: BotRow,
  change: BotChange,
  check: VerifiedToken | null,
  secrets: Secrets,
): Partial<BotRow> {
  const { token } = change;
  return {
    ...changedOf(row, botColumns(change)),
    ...(token && check && tokenColumns(token, check.telegramId, secrets, row.webhookSecret)),
    ...(check && !row.healthy && isRenamed(row, check) && { healthy: false, healthReason: renamedTo(check) }),
    ...(token === null &&
      row.token !== null && { token: null, webhookSecret: null, healthy: true, healthReason: null }),
    ...paymentColumns(change, row.paymentToken, secrets),
  };
}

function isRenamed({ username }: BotRow, check: VerifiedToken): boolean {
  return check.username.toLowerCase() !== username.toLowerCase();
}

/** Why nobody is sent to a bot yet whose token is good: its old name leads nowhere, or to whoever took it. */
function renamedTo({ username }: VerifiedToken): string {
  return `its name is @${username} now; it is renamed here within a minute, and has visitors again`;
}

/** The webhook comes and goes with the token. */
async function webhookAfter(
  deps: BotDeps,
  token: BotChange["token"],
  was: BotRow,
  bot: BotView,
): Promise<WebhookState> {
  if (token === undefined) return { kind: "as_before" };
  const removal = token === null ? await disconnectBot(deps, was) : null;
  // Also where the token was taken away: by now the bot may have been given one again.
  const state = await webhookOf(deps, bot);
  return state.kind === "no_token" && removal?.kind === "failed"
    ? { kind: "still_set", reason: removal.reason }
    : state;
}

async function webhookOf(deps: BotDeps, bot: BotView): Promise<WebhookState> {
  const state = await connectBot(deps, bot.username);
  return state.kind === "not_found" ? { kind: "failed", reason: "the bot was removed meanwhile" } : state;
}

async function writtenBot(reader: Reader, tables: Tables, username: string): Promise<BotView> {
  const bot = await findBot(reader, tables, username);
  if (bot === null) throw new Error(`bot @${username} was written and is not there`);
  return bot;
}
