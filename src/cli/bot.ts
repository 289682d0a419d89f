import type { z } from "zod";
import { type BotChange, botChangeSchema, botDraftSchema, withoutAt } from "../bots/bot-rules.ts";
import type { TokenCheck } from "../bots/bot-token.ts";
import { type BotView, findBot, listBots } from "../bots/bot-view.ts";
import { type BotDeps, reconnectBot, type WebhookState } from "../bots/connect-bot.ts";
import { createBot, deleteBot, updateBot } from "../bots/manage-bots.ts";
import { telegramBotApi } from "../bots/telegram-bot-api.ts";
import { type Context, defineCommand, type Given, type Options, Refused, WrongUsage } from "./command.ts";
import { issueLines, onlyGiven } from "./input.ts";
import { allPages } from "./pages.ts";
import { answer, record, table } from "./print.ts";
import { checkedWithSecrets } from "./secret.ts";
import { ACTOR, type Opened, withDatabase } from "./with-database.ts";

const BOT_FLAGS = {
  token: {
    type: "string",
    value: "token",
    help: "Telegram's token; verified, sealed, and the webhook set. - reads it from standard input",
  },
  "payment-token": {
    type: "string",
    value: "token",
    help: "the payment provider's token from @BotFather, for invoices in money; sealed. - reads it from standard input",
  },
  welcome: { type: "string", value: "text", help: "the answer to /start (default: the built-in text)" },
  locale: { type: "string", value: "pt-BR|en", help: "its language (default: the person's)" },
  enabled: { type: "boolean", help: "--no-enabled: no visitor is sent to it" },
} as const satisfies Options;

export const botAdd = defineCommand({
  name: "bot add",
  summary: "Make a bot, or give a bot that a pool made its token",
  options: { username: { type: "string", value: "username", help: "with or without @" }, ...BOT_FLAGS },
  details:
    "Without --token it is a bot that lives elsewhere: visitors are sent to it, its updates are not ours.",
  examples: ["bot add --username shop_bot --token -", "bot add --username other_bot"],
  async run(given, _values, context) {
    const draft = await read(context, botDraftSchema, { username: given.username, ...botInput(given) });
    const { username, ...change } = draft;
    await withDatabase(context, async (opened) => {
      const deps = botDeps(opened);
      const result = await createBot(deps, ACTOR, draft);
      switch (result.kind) {
        case "created":
          return printBot(context, result.bot, result.webhook, "Made");
        case "username_taken":
          if (change.token) return applyChange(context, deps, username, change);
          throw new Refused(
            `There is a bot @${username} already. Change it with: bun run ponte bot update ${username}`,
          );
        case "invalid":
        case "telegram_unreachable":
          throw tokenTrouble(result);
      }
    });
  },
});

export const botUpdate = defineCommand({
  name: "bot update",
  summary: "Change a bot; only what is named changes",
  takes: ["<username>"],
  options: BOT_FLAGS,
  details:
    'An empty value clears: --welcome "" brings the built-in text back, --token "" takes the token away.',
  examples: ["bot update shop_bot --welcome 'Olá!' --locale pt-BR"],
  async run(given, [username = ""], context) {
    const input = botInput(given);
    if (Object.keys(input).length === 0) throw new WrongUsage("nothing to change was named");
    const change = await read(context, botChangeSchema, input);
    await withDatabase(context, (opened) => applyChange(context, botDeps(opened), username, change));
  },
});

export const botList = defineCommand({
  name: "bot list",
  summary: "List the bots",
  options: {},
  async run(_given, _values, context) {
    await withDatabase(context, async ({ db }) => {
      const bots = await allPages((page) => listBots(db, db.tables, page));
      answer(context, bots, () =>
        bots.length === 0 ? "No bot yet. Make one with: bun run ponte bot add --help" : botTable(bots),
      );
    });
  },
});

export const botShow = defineCommand({
  name: "bot show",
  summary: "Show a bot",
  takes: ["<username>"],
  options: {},
  async run(_given, [username = ""], context) {
    await withDatabase(context, async ({ db }) => {
      const bot = await findBot(db, db.tables, username);
      if (bot === null) throw noSuchBot(username);
      answer(context, bot, () => botRecord(bot));
    });
  },
});

export const botConnect = defineCommand({
  name: "bot connect",
  summary: "Set a bot's webhook at Telegram again, for instance once PUBLIC_URL changed",
  takes: ["<username>"],
  options: {},
  async run(_given, [username = ""], context) {
    await withDatabase(context, async (opened) => {
      const state = await reconnectBot(botDeps(opened), ACTOR, username);
      if (state.kind === "not_found") throw noSuchBot(username);
      const text = `Webhook of @${withoutAt(username)}: ${webhookText(state)}`;
      if (state.kind !== "set") throw new Refused(text);
      answer(context, state, () => text);
    });
  },
});

export const botRemove = defineCommand({
  name: "bot remove",
  summary: "Remove a bot that nothing names, and its webhook at Telegram",
  takes: ["<username>"],
  options: {},
  details:
    "One that a pool, an offer or a person names stays: turn it off with bot update --no-enabled. There is no undo.",
  async run(_given, [given = ""], context) {
    const username = withoutAt(given);
    await withDatabase(context, async (opened) => {
      const result = await deleteBot(botDeps(opened), ACTOR, username);
      switch (result.kind) {
        case "deleted": {
          const { webhook } = result;
          answer(context, { username, removed: true, webhook }, () => `Removed bot @${username}.`);
          if (webhook.kind === "failed")
            context.terminal.err(`Telegram may still have its webhook: ${webhook.reason}`);
          return;
        }
        case "not_found":
          throw noSuchBot(username);
        case "in_use":
          throw new Refused(
            `Bot @${username} was not removed: a pool, an offer or a person names it. Turn it off instead: bun run ponte bot update ${username} --no-enabled`,
          );
      }
    });
  },
});

async function applyChange(
  context: Context,
  deps: BotDeps,
  username: string,
  change: BotChange,
): Promise<void> {
  const result = await updateBot(deps, ACTOR, username, change);
  switch (result.kind) {
    case "updated":
      return printBot(context, result.bot, result.webhook, "Changed");
    case "unchanged":
      return printBot(context, result.bot, { kind: "as_before" }, "Nothing to change in");
    case "not_found":
      throw noSuchBot(username);
    case "invalid":
    case "telegram_unreachable":
      throw tokenTrouble(result);
  }
}

function botDeps(opened: Opened): BotDeps {
  const { publicUrl, telegramApiUrl } = opened.config;
  return { ...opened, publicUrl, telegram: telegramBotApi(telegramApiUrl) };
}

function read<S extends z.ZodType>({ terminal }: Context, schema: S, input: Record<string, unknown>) {
  return checkedWithSecrets(terminal, schema, input, { secrets: ["token", "payment_token"] });
}

/** The flags as the bot rules' input; what was not given is left out, and an empty value clears. */
function botInput(given: Given<typeof BOT_FLAGS>): Record<string, unknown> {
  return onlyGiven({
    token: given.token,
    payment_token: given["payment-token"],
    welcome: given.welcome,
    locale: given.locale === "" ? null : given.locale,
    enabled: given.enabled,
  });
}

function tokenTrouble(trouble: Exclude<TokenCheck, { kind: "verified" }>): Refused {
  return trouble.kind === "invalid"
    ? new Refused(issueLines(trouble.issues))
    : new Refused(
        `Telegram did not answer: ${trouble.reason}\nNothing was saved. Check TELEGRAM_API_URL and try again.`,
      );
}

/** To be thrown where no bot has that username, with or without its @. */
export function noSuchBot(username: string): Refused {
  return new Refused(`There is no bot @${withoutAt(username)}. See: bun run ponte bot list`);
}

function printBot(context: Context, bot: BotView, webhook: WebhookState, done: string): void {
  answer(context, { ...bot, webhook }, () =>
    [`${done} bot @${bot.username}.`, "", botRecord(bot, webhookText(webhook))].join("\n"),
  );
}

/** @param webhook what became of it, where it was touched */
function botRecord(bot: BotView, webhook?: string): string {
  return record([
    ["Bot", `@${bot.username}`],
    ["Number", bot.id],
    ["Telegram id", bot.telegram_id],
    ["Token", bot.has_token ? "sealed" : "none"],
    ["Payment token", bot.has_payment_token ? "sealed" : "none"],
    ["Webhook", webhook],
    ["Enabled", bot.enabled ? "yes" : "no"],
    ["Health", healthText(bot)],
    ["Language", bot.locale ?? "the person's"],
    ["Welcome", bot.welcome ?? "built-in"],
    ["Pools", bot.pools.join(", ") || "none"],
  ]);
}

function webhookText(state: WebhookState): string {
  switch (state.kind) {
    case "set":
      return `set to ${state.url}`;
    case "as_before":
      return "as before";
    case "no_token":
      return "none: without a token its updates are not ours";
    case "no_public_url":
      return "not set: set PUBLIC_URL, then run bot connect";
    case "failed":
      return `not set: ${state.reason}; put that right, then run bot connect`;
    case "still_set":
      return `perhaps still set at Telegram: ${state.reason}`;
  }
}

function botTable(bots: readonly BotView[]): string {
  return table(bots, [
    { head: "BOT", cell: ({ username }) => `@${username}` },
    { head: "NUMBER", cell: ({ id }) => id },
    { head: "TOKEN", cell: ({ has_token }) => (has_token ? "sealed" : "none") },
    { head: "ENABLED", cell: ({ enabled }) => (enabled ? "yes" : "no") },
    { head: "HEALTH", cell: healthText },
    { head: "POOLS", cell: ({ pools }) => pools.join(", ") },
  ]);
}

/** Telegram is asked about bots with a token only. */
function healthText({ has_token, healthy, health_reason }: BotView): string | null {
  if (!has_token) return "not asked";
  return healthy ? "good" : health_reason;
}
