import { asc, eq } from "drizzle-orm";
import { botToken } from "../../bots/bot-token.ts";
import type { BotRow } from "../../bots/bot-view.ts";
import { askBotWebhook, isFailing } from "../../bots/bot-webhook.ts";
import { count } from "../print.ts";
import { bad, type Finding, good, warning } from "./finding.ts";
import type { OutsideDeps } from "./outside-deps.ts";

/** Whether each bot's token opens, is good, and its updates come here, and whether one without a token is heard of. */
export async function checkBots(deps: OutsideDeps): Promise<Finding[]> {
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
    rows.map((row) => (row.token === null ? elsewhereFinding(deps, row) : botFinding(deps, row))),
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

async function botFinding({ config, isOnline, ...deps }: OutsideDeps, bot: BotRow): Promise<Finding> {
  const check = `bot @${bot.username}`;
  const newToken = `bun run ponte bot update ${bot.username} --token -`;
  const connect = `bun run ponte bot connect ${bot.username}`;
  const { publicUrl } = config;
  const found = isOnline ? await askBotWebhook({ ...deps, publicUrl }, bot) : botToken(deps.secrets, bot);
  switch (found.kind) {
    case "ready":
      return good(check, "its token opens (Telegram was not asked)");
    case "no_token":
      return good(check, "it has no token: its updates are not ours");
    case "sealed":
      return bad(check, found.reason, newToken);
    case "refused":
      return bad(check, `Telegram refuses its token: ${found.reason}`, newToken);
    case "unreachable":
      return bad(check, `Telegram did not answer: ${found.reason}`, "Check the way to TELEGRAM_API_URL.");
    case "elsewhere": {
      const text = found.url === "" ? "its webhook is not set" : `its updates go to ${found.url}`;
      return bad(check, text, found.expected === null ? `Set PUBLIC_URL, then: ${connect}` : connect);
    }
    case "connected":
      return isFailing(found)
        ? warning(
            check,
            `Telegram fails to reach us, ${count(found.waiting, "update")} waiting; last (${found.lastErrorAt?.toISOString() ?? "at an unknown time"}): ${found.lastError}`,
            "Open PUBLIC_URL from outside; certificate and proxy are the usual causes.",
          )
        : good(check, `its webhook is set, ${count(found.waiting, "update")} waiting`);
  }
}
