import { Elysia, status } from "elysia";
import { z } from "zod";
import { botChangeSchema, botDraftSchema, USERNAME_FORM, withoutAt } from "../bots/bot-rules.ts";
import { findBot, listBots } from "../bots/bot-view.ts";
import { type BotDeps, reconnectBot } from "../bots/connect-bot.ts";
import {
  type CreateBotResult,
  createBot,
  type DeleteBotResult,
  deleteBot,
  type UpdateBotResult,
  updateBot,
} from "../bots/manage-bots.ts";
import { problem } from "../platform/problem.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { pageOfQuery, pageQuery } from "./params.ts";
import { wouldNotWork } from "./would-not-work.ts";

const params = z.object({
  username: z
    .string()
    .regex(USERNAME_FORM)
    .meta({ examples: ["shop_bot"] }),
});
const describe = describeRoute("Bots");

/** `/api/bots`: what `ponte bot` does, for scripts. */
export function botsApi(deps: BotDeps & ApiRouteDeps) {
  const { db } = deps;
  return new Elysia({ name: "api.bots", prefix: "/api" })
    .use(apiGuard(deps))
    .get("/bots", ({ query }) => listBots(db, db.tables, pageOfQuery(query)), {
      query: z.strictObject(pageQuery),
      detail: describe("List bots", { 200: "BotPage" }),
    })
    .post("/bots", async ({ body, actor }) => madeAnswer(await createBot(deps, actor, body), body.username), {
      parse: "json",
      body: botDraftSchema,
      detail: describe(
        "Make a bot",
        { 201: "BotWithWebhook", 409: null, 422: null, ...CHANGES },
        "A token is verified at Telegram first; the webhook is set once the bot is saved.",
      ),
    })
    .get(
      "/bots/:username",
      async ({ params }) => (await findBot(db, db.tables, params.username)) ?? noSuchBot(params.username),
      { params, detail: describe("Read a bot", { 200: "Bot", 404: null }) },
    )
    .patch(
      "/bots/:username",
      async ({ params, body, actor }) =>
        changedAnswer(await updateBot(deps, actor, params.username, body), params.username),
      {
        params,
        parse: "json",
        body: botChangeSchema,
        detail: describe(
          "Change a bot",
          { 200: "BotWithWebhook", 404: null, 422: null, ...CHANGES },
          "Only what is named changes; null clears.",
        ),
      },
    )
    .post(
      "/bots/:username/connect",
      async ({ params, actor }) => {
        const webhook = await reconnectBot(deps, actor, params.username);
        return webhook.kind === "not_found" ? noSuchBot(params.username) : webhook;
      },
      {
        params,
        parse: "none",
        detail: describe(
          "Set a bot's webhook again",
          { 200: "Webhook", 404: null, ...CHANGES },
          "Needed once PUBLIC_URL changes.",
        ),
      },
    )
    .delete(
      "/bots/:username",
      async ({ params, actor }) =>
        removedAnswer(await deleteBot(deps, actor, params.username), params.username),
      {
        params,
        detail: describe("Remove a bot that nothing names", { 204: null, 404: null, 409: null, ...CHANGES }),
      },
    );
}

function madeAnswer(result: CreateBotResult, username: string) {
  switch (result.kind) {
    case "created":
      return status(201, { ...result.bot, webhook: result.webhook });
    case "username_taken":
      return problem(409, { detail: `There is a bot @${username} already; change it with PATCH.` });
    case "invalid":
      return wouldNotWork("bot", result.issues);
    case "telegram_unreachable":
      return telegramUnreachable(result.reason);
  }
}

function changedAnswer(result: UpdateBotResult, username: string) {
  switch (result.kind) {
    case "updated":
      return { ...result.bot, webhook: result.webhook };
    case "unchanged":
      return { ...result.bot, webhook: { kind: "as_before" as const } };
    case "not_found":
      return noSuchBot(username);
    case "invalid":
      return wouldNotWork("bot", result.issues);
    case "telegram_unreachable":
      return telegramUnreachable(result.reason);
  }
}

function removedAnswer(result: DeleteBotResult, username: string) {
  switch (result.kind) {
    case "deleted":
      return status(204);
    case "not_found":
      return noSuchBot(username);
    case "in_use":
      return problem(409, {
        detail: "A pool, an offer or a person names the bot; disable it instead: PATCH {enabled: false}.",
      });
  }
}

function noSuchBot(username: string): Response {
  return problem(404, { detail: `There is no bot @${withoutAt(username)}.` });
}

function telegramUnreachable(reason: string): Response {
  return problem(503, {
    detail: `The token could not be verified, Telegram did not answer: ${reason}. Nothing was saved; try again.`,
    headers: { "retry-after": "10" },
  });
}
