import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { botChangeSchema, botDraftSchema } from "../../bots/bot-rules.ts";
import type { BotView } from "../../bots/bot-view.ts";
import { type BotDeps, reconnectBot, type WebhookState } from "../../bots/connect-bot.ts";
import { createBot, deleteBot, updateBot } from "../../bots/manage-bots.ts";
import { parseInput } from "../../platform/parse-input.ts";
import type { FormFields } from "../form.ts";
import { fieldErrors } from "../form-errors.ts";
import type { Operator } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { overtaken, overtakenText, submit } from "../submit.ts";
import { botInputOf, readBotForm } from "./bot-form.ts";
import { noSuchBot } from "./find.ts";
import type { showBots } from "./show.ts";
import { removalNote, webhookNote } from "./webhook-facts.ts";

const IN_USE = "It was not removed: a pool, an offer or a person names it. Turn it off instead.";

/** The forms of bots: each is carried out, or shown again with what is wrong. */
export function changeBots(deps: BotDeps, show: ReturnType<typeof showBots>) {
  return {
    create(operator: Operator, form: FormFields): Promise<Response> {
      const fields = readBotForm(form);
      const again = (errors: FieldErrors) => show.empty(operator, fields, errors);
      const input = { username: fields.username, ...botInputOf(fields, form) };
      return submit({
        parsed: parseInput(botDraftSchema, input),
        change: (draft) => createBot(deps, operator.actor, draft),
        wrong: (issues) => again(fieldErrors(issues)),
        done(result) {
          switch (result.kind) {
            case "created":
              return seeBot(operator, result.bot, "The bot is made.", result.webhook);
            case "username_taken":
              return again({ username: "there is a bot of this name already" });
            case "telegram_unreachable":
              return again({ token: unverified(result.reason) });
          }
        },
      });
    },

    update(operator: Operator, bot: BotView, form: FormFields): Promise<Response> {
      const fields = { ...readBotForm(form), username: bot.username };
      const again = (errors: FieldErrors, stored = bot) => show.one(operator, stored, { fields, errors });
      return submit({
        parsed: overtaken("bot", form, bot) ?? parseInput(botChangeSchema, botInputOf(fields, form)),
        change: (change) => updateBot(deps, operator.actor, bot, change),
        wrong: (issues) => again(fieldErrors(issues)),
        done(result) {
          switch (result.kind) {
            case "updated":
              return seeBot(operator, bot, "Saved.", result.webhook);
            case "unchanged":
              return doneAndSee(operator, pathOf(bot), "Nothing was different.");
            case "overtaken":
              return again({ "": overtakenText("bot") }, result.current);
            case "not_found":
              return noSuchBot(operator);
            case "telegram_unreachable":
              return again({ token: unverified(result.reason) });
          }
        },
      });
    },

    async reconnect(operator: Operator, bot: BotView): Promise<Response> {
      const result = await reconnectBot(deps, operator.actor, bot.username);
      return result.kind === "not_found"
        ? noSuchBot(operator)
        : seeBot(operator, bot, "Telegram was asked.", result);
    },

    async remove(operator: Operator, bot: BotView): Promise<Response> {
      const result = await deleteBot(deps, operator.actor, bot.username);
      switch (result.kind) {
        case "deleted": {
          const { text, tone } = removalNote(bot.username, result.webhook);
          return doneAndSee(operator, "/ops/bots", text, tone);
        }
        case "not_found":
          return noSuchBot(operator);
        case "in_use":
          return doneAndSee(operator, pathOf(bot), IN_USE, "warn");
      }
    },
  };
}

function seeBot(operator: Operator, bot: BotView, done: string, webhook: WebhookState): Response {
  const { text, tone } = webhookNote(done, webhook);
  return doneAndSee(operator, pathOf(bot), text, tone);
}

function pathOf({ id }: BotView): string {
  return `/ops/bots/${id}#top`;
}

function unverified(reason: string): string {
  return `it could not be verified, Telegram did not answer: ${reason}. Try again.`;
}
