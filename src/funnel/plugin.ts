import { Elysia } from "elysia";
import { unknownBot } from "../bots/unknown-bot.ts";
import { ANSWER_MS, withDatabaseDeadline } from "../db/database-deadline.ts";
import { readJson } from "../platform/body.ts";
import { methodNotAllowed, serviceUnavailable } from "../platform/problem.ts";
import { botStartSchema, startFromOutside } from "./bot-start.ts";
import { botStartDetail } from "./bot-start-docs.ts";
import { createConversation } from "./conversation.ts";
import { takeUpdate, type WebhookDeps } from "./webhook.ts";

const MAX_BODY_BYTES = 16 * 1024;

interface FunnelDeps extends WebhookDeps {
  /** Checks the API key; a response where the request may not write. */
  readonly authorize: (request: Request) => Promise<Response | null>;
}

/**
 * `POST /telegram/:botId`, which refuses other methods itself because all that comes to a webhook is counted; and
 * `POST /api/bot/start` for operators whose bot lives elsewhere.
 */
export function funnelPlugin(deps: FunnelDeps) {
  const conversation = createConversation();
  return new Elysia({ name: "funnel" })
    .post(
      "/telegram/:botId",
      ({ request, params }) => takeUpdate(deps, conversation, request, params.botId),
      { parse: "none", detail: { hide: true } },
    )
    .all("/telegram/:botId", () => methodNotAllowed("POST"), { parse: "none" })
    .post("/api/bot/start", ({ request }) => start(deps, request), {
      parse: "none",
      detail: botStartDetail(),
    });
}

async function start(deps: FunnelDeps, request: Request): Promise<Response> {
  const refusal = await deps.authorize(request);
  if (refusal) return refusal;
  const input = await readJson(request, {
    maxBytes: MAX_BODY_BYTES,
    schema: botStartSchema,
    detail: "The start is not understood; the errors say what is wrong.",
  });
  if (input.kind === "refused") return input.response();
  try {
    const started = await withDatabaseDeadline(deps.db, ANSWER_MS, startFromOutside(deps, input.value));
    switch (started.kind) {
      case "unknown_bot":
        return unknownBot(input.value.bot);
      case "started":
        return Response.json(started.answer, {
          status: started.isFirst ? 201 : 200,
          headers: { "cache-control": "no-store" },
        });
    }
  } catch (error) {
    deps.log.error({ error, todo: deps.db.advice(error) }, "a start could not be stored");
    return serviceUnavailable("Nothing was stored. Send it again in a moment.");
  }
}
