import { Elysia } from "elysia";
import { z } from "zod";
import { createFaults, type Faults } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import type { RequestLog, RequestNote } from "./request-log.ts";
import { outcomeResponse, refusalResponse } from "./telegram-answer.ts";
import { type Bot, createBots } from "./telegram-bots.ts";
import { type CallLog, describeCall, listCalls } from "./telegram-calls.ts";
import { appliesTo, strikeCall, type TelegramFault, telegramFaultSchema } from "./telegram-faults.ts";
import { callMethod, type MethodOutcome } from "./telegram-methods.ts";
import { readParams } from "./telegram-params.ts";
import { deliverUpdate } from "./telegram-updates.ts";

interface TelegramDeps {
  readonly now: () => number;
  readonly requests: RequestLog;
  readonly calls: CallLog;
}

const callQuery = z.object({
  method: z.string().optional(),
  chat_id: z.string().optional(),
  bot_id: z.string().optional(),
});
// Elysia's types see parameters only after a slash, so the path is spelt out.
const botPath = z.object({ token: z.string(), method: z.string() });
const botBody = z.object({ token: z.string(), username: z.string().regex(/^@?\w{5,32}$/) });
const updateBody = z.object({ token: z.string(), update: z.record(z.string(), z.unknown()) });

/** Telegram's Bot API at `/bot<token>/<method>`, its calls, faults, bots, and updates pushed to webhooks. */
export function telegramRoutes(deps: TelegramDeps) {
  const { calls, requests } = deps;
  const faults = createFaults<TelegramFault>();
  const bots = createBots();

  return new Elysia({ name: "sandbox.telegram" })
    .post(
      "/bot:token/:method",
      ({ request, params }) => {
        const { method, token } = params;
        const verdict = bots.byToken(token);
        return requests.record(request, async (note) => {
          switch (verdict.kind) {
            case "malformed":
              return refusalResponse(404, "Not Found");
            case "unauthorized":
              return refusalResponse(401, "Unauthorized");
            case "known":
              return answerCall({ bot: verdict.bot, method, request, note }, deps, faults);
          }
        });
      },
      { parse: "none", params: botPath },
    )
    .get("/telegram/calls", ({ query }) => listCalls(calls, query), { query: callQuery })
    .delete("/telegram/calls", ({ status }) => {
      calls.clear();
      return status(204);
    })
    .post("/telegram/faults", ({ body, status }) => status(201, faults.add(body)), {
      parse: "json",
      body: telegramFaultSchema,
    })
    .get("/telegram/faults", () => faults.list())
    .delete("/telegram/faults", () => ({ cleared: faults.clear() }))
    .get("/telegram/bots", () => bots.list().map(describeBot))
    .post(
      "/telegram/bots",
      ({ body, status }) => {
        const bot = bots.register(body.token, body.username.replace(/^@/, ""));
        if (bot !== null) return status(201, describeBot(bot));
        return status(400, { error: "token must be <digits>:<30 or more of A-Z a-z 0-9 _ ->" });
      },
      { parse: "json", body: botBody },
    )
    .post(
      "/telegram/updates",
      async ({ body, status }) => {
        const verdict = bots.byToken(body.token);
        if (verdict.kind !== "known") return status(404, { error: "no bot has this token" });
        const delivery = await pushUpdate(verdict.bot, body.update, deps);
        switch (delivery.kind) {
          case "answered":
            return delivery;
          case "no_webhook":
            return status(409, { ...delivery, error: "the bot has no webhook: call setWebhook first" });
          case "not_allowed":
            return status(409, {
              ...delivery,
              error: `the webhook's allowed_updates leave out "${delivery.updateKind}"`,
            });
          case "unreachable":
            return status(502, { ...delivery, error: `the webhook cannot be reached: ${delivery.reason}` });
        }
      },
      { parse: "json", body: updateBody },
    );
}

interface Call {
  readonly bot: Bot;
  readonly method: string;
  readonly request: Request;
  readonly note: RequestNote;
}

/** One call of the Bot API: fault before, method, fault after (only where there was something to hide). */
async function answerCall(
  { bot, method, request, note }: Call,
  { now, calls }: TelegramDeps,
  faults: Faults<TelegramFault>,
): Promise<Response> {
  note.bodyBytes = Number(request.headers.get("content-length") ?? 0);
  const params = await readParams(request);
  if (params === null) return refusalResponse(400, "Bad Request: can't parse the request body");
  const fault = faults.take((candidate) => appliesTo(candidate, method, params));
  const log = (answer: Response, outcome: MethodOutcome | null) => {
    const status = note.fault === "reset" ? null : answer.status;
    const end = { method, params, via: "api", fault: note.fault, status, outcome } as const;
    calls.push(describeCall(bot, end, now()));
    return answer;
  };
  if (fault !== null && !fault.after) {
    note.fault = fault.mode;
    const failure = await strikeCall(fault);
    if (failure !== null) return log(failure, null);
  }
  const outcome = callMethod(bot, method, params, Math.floor(now() / 1000));
  if (fault?.after !== true || outcome.kind === "refused") return log(outcomeResponse(outcome), outcome);
  note.fault = fault.mode;
  return log((await strikeCall(fault)) ?? outcomeResponse(outcome), outcome);
}

/** Pushes an update; a method call in the webhook's answer is carried out, as Telegram does. */
async function pushUpdate(bot: Bot, update: JsonObject, { now, calls }: TelegramDeps) {
  const nowSeconds = Math.floor(now() / 1000);
  const delivery = await deliverUpdate(bot, update, nowSeconds);
  if (delivery.kind === "answered" && delivery.call !== null) {
    const { method, params } = delivery.call;
    const outcome = callMethod(bot, method, params, nowSeconds);
    const { status } = outcomeResponse(outcome);
    calls.push(
      describeCall(bot, { method, params, via: "webhook_answer", fault: null, status, outcome }, now()),
    );
  }
  return delivery;
}

function describeBot({ id, username, webhook, commands }: Bot) {
  return { id, username, webhook_url: webhook?.url ?? null, commands };
}
