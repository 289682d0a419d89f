import { BotPage, NewBotPage } from "../../../views/ops/bot.tsx";
import type { BotFields, WebhookFacts } from "../../../views/ops/bot-data.ts";
import { BotsPage } from "../../../views/ops/bots.tsx";
import type { FieldErrors } from "../../../views/ops/form-data.ts";
import { type BotView, listBots } from "../../bots/bot-view.ts";
import type { AskedPage } from "../../platform/pagination.ts";
import type { OpsDeps } from "../deps.ts";
import type { Operator } from "../guard.ts";
import { opsPage } from "../page.ts";
import { pieceOf } from "../params.ts";
import { formStatus } from "../submit.ts";
import { botLines, countPeople, offerLines, poolsOfBot } from "./bot-facts.ts";
import { botFieldsOf, EMPTY_BOT } from "./bot-form.ts";

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

/** The pages of bots. */
export function showBots(deps: OpsDeps) {
  const { db } = deps;
  return {
    async list(operator: Operator, asked: AskedPage): Promise<Response> {
      const page = await listBots(db, db.tables, asked);
      return opsPage(operator, {
        title: "Bots",
        section: "bots",
        children: BotsPage(pieceOf(asked, page, await botLines(db, page.items))),
      });
    },

    empty(operator: Operator, fields = EMPTY_BOT, errors: FieldErrors = {}): Response {
      const { csrfToken } = operator.frame;
      return opsPage(operator, {
        title: "New bot",
        section: "bots",
        status: formStatus(errors),
        children: NewBotPage({ fields, errors, csrfToken }),
      });
    },

    async one(operator: Operator, bot: BotView, shown: BotShown = {}): Promise<Response> {
      const { fields = botFieldsOf(bot), errors = {}, webhook = null } = shown;
      const [people, pools, offers] = await Promise.all([
        countPeople(db, bot.id),
        poolsOfBot(db, bot.id),
        offerLines(deps, bot, shown.offers),
      ]);
      const { csrfToken, zone } = operator.frame;
      return opsPage(operator, {
        title: `@${bot.username}`,
        section: "bots",
        status: formStatus(errors),
        children: BotPage({
          bot: { ...bot, people, pools },
          ...{ fields, errors, offers, webhook, csrfToken, zone },
        }),
      });
    },
  };
}
