import { Elysia } from "elysia";
import { WebhookBadge } from "../../../views/ops/bots.tsx";
import { askBotWebhook } from "../../bots/bot-webhook.ts";
import type { BotDeps } from "../../bots/connect-bot.ts";
import { telegramBotApi } from "../../bots/telegram-bot-api.ts";
import { fragmentAnswer, seeOther } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { askedPage } from "../params.ts";
import { changeBots } from "./change.ts";
import { botAt } from "./find.ts";
import { showBots } from "./show.ts";
import { webhookFacts } from "./webhook-facts.ts";

/** `/ops/bots`: where visitors go, and what is sold there. */
export function botPages(deps: OpsDeps) {
  const { telegramApiUrl, publicUrl } = deps.config;
  const botDeps: BotDeps = { ...deps, telegram: telegramBotApi(telegramApiUrl), publicUrl };
  const show = showBots(deps);
  const change = changeBots(botDeps, show);
  const viewAt = async (operator: Operator, id: string) => (await botAt(deps, operator, id)).view;
  const askTelegram = async (operator: Operator, id: string) => {
    const { row, view } = await botAt(deps, operator, id);
    return { bot: view, webhook: webhookFacts(await askBotWebhook(botDeps, row)) };
  };

  return (
    new Elysia({ name: "ops.bots" })
      .use(opsGuard(deps))
      .get("/ops/bots", ({ operator, query }) => show.list(operator, askedPage(query)))
      .get("/ops/bots/new", ({ operator }) => show.empty(operator))
      .post("/ops/bots/new", ({ operator, body }) => change.create(operator, formFields(body)))
      .get("/ops/bots/:id", async ({ operator, params, query }) =>
        show.one(operator, await viewAt(operator, params.id), {
          offers: askedPage({ cursor: query.offers }).cursor,
        }),
      )
      .post("/ops/bots/:id", async ({ operator, params, body }) =>
        change.update(operator, await viewAt(operator, params.id), formFields(body)),
      )
      .get("/ops/bots/:id/webhook", async ({ operator, params }) => {
        const { webhook } = await askTelegram(operator, params.id);
        return fragmentAnswer(String(WebhookBadge({ webhook })));
      })
      .post("/ops/bots/:id/check-webhook", async ({ operator, params }) => {
        const { bot, webhook } = await askTelegram(operator, params.id);
        return show.one(operator, bot, { webhook });
      })
      // The address of that answer, opened anew.
      .get("/ops/bots/:id/check-webhook", ({ params }) =>
        seeOther(`/ops/bots/${encodeURIComponent(params.id)}`),
      )
      .post("/ops/bots/:id/connect", async ({ operator, params }) =>
        change.reconnect(operator, await viewAt(operator, params.id)),
      )
      .post("/ops/bots/:id/remove", async ({ operator, params }) =>
        change.remove(operator, await viewAt(operator, params.id)),
      )
  );
}
