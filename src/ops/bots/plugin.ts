import { Elysia } from "elysia";
import { z } from "zod";
import { BotPage, NewBotPage } from "../../../views/ops/bot.tsx";
import type { BotFields, WebhookFacts } from "../../../views/ops/bot-data.ts";
import { BotsPage, WebhookBadge } from "../../../views/ops/bots.tsx";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { NotFound } from "../../../views/ops/not-found.tsx";
import { type BotRow, type BotView, findBotById, listBots } from "../../pools/bot-view.ts";
import { askBotWebhook } from "../../pools/bot-webhook.ts";
import { type BotDeps, reconnectBot } from "../../pools/connect-bot.ts";
import { createBot, deleteBot, updateBot } from "../../pools/manage-bots.ts";
import { botChangeSchema, botDraftSchema, parseInput } from "../../pools/rules.ts";
import { telegramBotApi } from "../../pools/telegram-bot-api.ts";
import { fragmentAnswer, seeOther } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { botLines, countPeople, offerLines, poolsOfBot } from "./bot-facts.ts";
import { botFieldsOf, botInputOf, EMPTY_BOT, readBotForm } from "./bot-form.ts";
import { webhookFacts, webhookNote } from "./webhook-facts.ts";

const PAGE_LENGTH = 50;

const idSchema = z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER);
const cursor = idSchema.optional().catch(undefined);
const querySchema = z.object({ cursor, offers: cursor });

/** `/ops/bots`: where visitors go, and what is sold there. */
export function botPages(deps: OpsDeps) {
  const { db, config } = deps;
  const botDeps: BotDeps = {
    ...deps,
    telegram: telegramBotApi(config.telegramApiUrl),
    publicUrl: config.publicUrl,
  };

  async function findBot(given: string) {
    const id = idSchema.safeParse(given);
    return id.success ? findBotById(db, db.tables, id.data) : null;
  }

  function newPage(operator: Operator, fields: BotFields, errors: FieldErrors = {}) {
    return opsPage(operator, {
      title: "New bot",
      section: "bots",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: NewBotPage({ fields, errors, csrfToken: operator.frame.csrfToken }),
    });
  }

  async function botPage(operator: Operator, bot: BotView, shown: BotShown = {}) {
    const { fields = botFieldsOf(bot), errors = {}, webhook = null } = shown;
    const [people, pools, offers] = await Promise.all([
      countPeople(db, bot.id),
      poolsOfBot(db, bot.id),
      offerLines(db, bot.username, shown.offers),
    ]);
    const { csrfToken, zone } = operator.frame;
    return opsPage(operator, {
      title: `@${bot.username}`,
      section: "bots",
      status: Object.keys(errors).length > 0 ? 400 : 200,
      children: BotPage({
        bot: { ...bot, people, pools },
        ...{ fields, errors, offers, webhook, csrfToken, zone },
      }),
    });
  }

  const askTelegram = async (row: BotRow) => webhookFacts(await askBotWebhook(botDeps, row));

  return (
    new Elysia({ name: "ops.bots" })
      .use(opsGuard(deps))
      .get("/ops/bots", async ({ operator, query }) => {
        const { cursor } = querySchema.parse(query);
        const page = await listBots(db, db.tables, { cursor, limit: PAGE_LENGTH });
        return opsPage(operator, {
          title: "Bots",
          section: "bots",
          children: BotsPage({
            lines: await botLines(db, page.items),
            next: page.next_cursor,
            isFirst: cursor === undefined,
          }),
        });
      })
      .get("/ops/bots/new", ({ operator }) => newPage(operator, EMPTY_BOT))
      .post("/ops/bots/new", async ({ operator, body }) => {
        const form = formFields(body);
        const fields = readBotForm(form);
        const input = { username: fields.username, ...botInputOf(fields, form) };
        const parsed = parseInput(botDraftSchema, input);
        if (parsed.kind === "invalid") return newPage(operator, fields, fieldErrors(parsed.issues));
        const result = await createBot(botDeps, operator.actor, parsed.value);
        switch (result.kind) {
          case "created": {
            const { text, tone } = webhookNote("The bot is made.", result.webhook);
            return doneAndSee(operator, `/ops/bots/${result.bot.id}`, text, tone);
          }
          case "username_taken":
            return newPage(operator, fields, { username: "there is a bot of this name already" });
          case "invalid":
            return newPage(operator, fields, fieldErrors(result.issues));
          case "telegram_unreachable":
            return newPage(operator, fields, { token: unverified(result.reason) });
        }
      })
      .get("/ops/bots/:id", async ({ operator, params, query }) => {
        const bot = await findBot(params.id);
        const { offers } = querySchema.parse(query);
        return bot === null ? noSuchBot(operator) : botPage(operator, bot.view, { offers });
      })
      .post("/ops/bots/:id", async ({ operator, params, body }) => {
        const bot = (await findBot(params.id))?.view;
        if (!bot) return noSuchBot(operator);
        const form = formFields(body);
        const fields = { ...readBotForm(form), username: bot.username };
        // The form holds every field, so saving an old one would undo what somebody else changed since.
        if (form.text("seen") !== bot.updated_at)
          return botPage(operator, bot, { fields, errors: CHANGED_MEANWHILE });
        const parsed = parseInput(botChangeSchema, botInputOf(fields, form));
        if (parsed.kind === "invalid")
          return botPage(operator, bot, { fields, errors: fieldErrors(parsed.issues) });
        const result = await updateBot(botDeps, operator.actor, bot.username, parsed.value);
        switch (result.kind) {
          case "updated": {
            const { text, tone } = webhookNote("Saved.", result.webhook);
            return doneAndSee(operator, `/ops/bots/${bot.id}`, text, tone);
          }
          case "unchanged":
            return doneAndSee(operator, `/ops/bots/${bot.id}`, "Nothing was different.");
          case "not_found":
            return noSuchBot(operator);
          case "invalid":
            return botPage(operator, bot, { fields, errors: fieldErrors(result.issues) });
          case "telegram_unreachable":
            return botPage(operator, bot, { fields, errors: { token: unverified(result.reason) } });
        }
      })
      .get("/ops/bots/:id/webhook", async ({ operator, params }) => {
        const bot = await findBot(params.id);
        if (bot === null) return noSuchBot(operator);
        return fragmentAnswer(String(WebhookBadge({ webhook: await askTelegram(bot.row) })));
      })
      .post("/ops/bots/:id/check-webhook", async ({ operator, params }) => {
        const bot = await findBot(params.id);
        if (bot === null) return noSuchBot(operator);
        return botPage(operator, bot.view, { webhook: await askTelegram(bot.row) });
      })
      // The address of that answer, opened anew.
      .get("/ops/bots/:id/check-webhook", ({ params }) =>
        seeOther(`/ops/bots/${encodeURIComponent(params.id)}`),
      )
      .post("/ops/bots/:id/connect", async ({ operator, params }) => {
        const bot = await findBot(params.id);
        const result = bot && (await reconnectBot(botDeps, operator.actor, bot.view.username));
        if (!result || result.kind === "not_found") return noSuchBot(operator);
        const { text, tone } = webhookNote("Telegram was asked.", result);
        return doneAndSee(operator, `/ops/bots/${bot.view.id}`, text, tone);
      })
      .post("/ops/bots/:id/remove", async ({ operator, params }) => {
        const bot = await findBot(params.id);
        const result = bot && (await deleteBot(deps, operator.actor, bot.view.username));
        if (!result || result.kind === "not_found") return noSuchBot(operator);
        if (result.kind === "deleted")
          return doneAndSee(operator, "/ops/bots", `@${bot.view.username} is removed.`);
        return doneAndSee(operator, `/ops/bots/${bot.view.id}`, IN_USE, "warn");
      })
  );
}

/** What a bot's page shows besides the bot as it is. */
interface BotShown {
  /** A form that was not taken. */
  readonly fields?: BotFields;
  readonly errors?: FieldErrors;
  /** What Telegram said. */
  readonly webhook?: WebhookFacts;
  /** Where the list of its offers goes on. */
  readonly offers?: number | undefined;
}

const CHANGED_MEANWHILE: FieldErrors = {
  "": "The bot was changed since this page was opened, and saving would undo that. Below is what you typed: compare it with the audit log and save again.",
};

const IN_USE = "It was not removed: a pool, an offer or a person names it. Turn it off instead.";

function unverified(reason: string): string {
  return `it could not be verified, Telegram did not answer: ${reason}. Try again.`;
}

function noSuchBot(operator: Operator): Response {
  return opsPage(operator, {
    title: "Not found",
    section: "bots",
    status: 404,
    children: NotFound({ text: "There is no such bot." }),
  });
}
