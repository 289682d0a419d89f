import type { BoundedList } from "./bounded.ts";
import type { JsonObject } from "./json.ts";
import type { Bot } from "./telegram-bots.ts";
import type { MethodOutcome } from "./telegram-methods.ts";
import { type Params, textParam } from "./telegram-params.ts";

/** One Bot API call as `GET /telegram/calls` shows it; tokens and secrets are `***`. */
export interface TelegramCall {
  readonly at: string;
  readonly bot_id: number;
  readonly token: string;
  readonly username: string;
  readonly method: string;
  readonly params: JsonObject;
  /** `webhook_answer`: the call came as the answer to an update. */
  readonly via: "api" | "webhook_answer";
  readonly fault: string | null;
  /** HTTP status answered; `null` where the connection was reset. */
  readonly status: number | null;
  /** Did the caller hear of a success? */
  readonly ok: boolean;
  /** Present where Telegram carried the call out, even if a fault then hid the answer. */
  readonly result?: unknown;
  readonly description?: string;
}

/** The calls every bot made, in order, bounded in memory. */
export type CallLog = BoundedList<TelegramCall>;

/** Which calls to look at; a missing field matches all. */
interface CallFilter {
  readonly method?: string | undefined;
  readonly chat_id?: string | undefined;
  readonly bot_id?: string | undefined;
}

/** The kept calls that match, in order. */
export function listCalls(log: CallLog, { method, chat_id, bot_id }: CallFilter): readonly TelegramCall[] {
  return log
    .items()
    .filter(
      (call) =>
        (method === undefined || call.method.toLowerCase() === method.toLowerCase()) &&
        (chat_id === undefined || textParam(call.params, "chat_id") === chat_id) &&
        (bot_id === undefined || String(call.bot_id) === bot_id),
    );
}

/** What happened to one call; `outcome` is `null` where a fault struck before Telegram did anything. */
interface CallEnd {
  readonly method: string;
  readonly params: Params;
  readonly via: TelegramCall["via"];
  readonly fault: string | null;
  readonly status: number | null;
  readonly outcome: MethodOutcome | null;
}

/** The call as it is listed. */
export function describeCall(bot: Bot, end: CallEnd, nowMs: number): TelegramCall {
  const { method, params, via, fault, status, outcome } = end;
  return {
    at: new Date(nowMs).toISOString(),
    bot_id: bot.id,
    token: `${bot.id}:***`,
    username: bot.username,
    method,
    params: withoutSecrets(params),
    via,
    fault,
    status,
    ok: outcome?.kind === "ok" && status === 200,
    ...(outcome?.kind === "ok" && { result: outcome.result }),
    ...(outcome?.kind === "refused" && { description: outcome.description }),
  };
}

const SECRET_PARAMS: ReadonlySet<string> = new Set(["secret_token", "provider_token"]);

function withoutSecrets(params: Params): JsonObject {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [name, SECRET_PARAMS.has(name) ? "***" : value]),
  );
}
