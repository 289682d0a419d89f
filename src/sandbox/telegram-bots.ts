import { type RecentMap, recentMap } from "./bounded.ts";
import type { JsonObject } from "./json.ts";

/** A bot's webhook as set by `setWebhook`, with the last failure of delivering to it. */
interface Webhook {
  readonly url: string;
  readonly secretToken: string | null;
  readonly maxConnections: number;
  /** Empty: Telegram's default, all kinds but the few that must be asked for. */
  readonly allowedUpdates: readonly string[];
  lastError: { readonly atSeconds: number; readonly message: string } | null;
}

/** One bot of the stand-in. Known from its first call, or registered with a chosen username. */
export interface Bot {
  readonly id: number;
  /** The only token it takes; `null` where it was never registered: then any well-formed one. */
  token: string | null;
  username: string;
  webhook: Webhook | null;
  commands: readonly unknown[];
  nextMessageId: number;
  nextUpdateId: number;
  /** Messages it sent, by `chat:message_id`, so that edits can be checked. */
  readonly messages: RecentMap<JsonObject>;
  readonly refundedCharges: Set<string>;
}

/** Whose token is this? Telegram answers 404 to a malformed one and 401 to a wrong one. */
type TokenVerdict =
  | { readonly kind: "known"; readonly bot: Bot }
  | { readonly kind: "unauthorized" }
  | { readonly kind: "malformed" };

/** The bots of one sandbox. */
interface Bots {
  byToken(token: string): TokenVerdict;
  /** Fixes a bot's token and username; `null` where the token is not well-formed. */
  register(token: string, username: string): Bot | null;
  list(): readonly Bot[];
}

/** A bot's id and its secret. */
const TOKEN = /^(\d{1,16}):([\w-]+)$/;
const SHORTEST_SECRET = 30;
const MESSAGES_REMEMBERED = 20_000;

/** Makes the registry, empty. */
export function createBots(): Bots {
  const bots = new Map<number, Bot>();

  function botWithId(id: number): Bot {
    const bot = bots.get(id) ?? newBot(id);
    bots.set(id, bot);
    return bot;
  }

  function byToken(token: string): TokenVerdict {
    const [, id, secret = ""] = TOKEN.exec(token) ?? [];
    if (id === undefined) return { kind: "malformed" };
    if (secret.length < SHORTEST_SECRET) return { kind: "unauthorized" };
    const bot = botWithId(Number(id));
    if (bot.token !== null && bot.token !== token) return { kind: "unauthorized" };
    return { kind: "known", bot };
  }

  return {
    byToken,
    register(token, username) {
      const [, id, secret = ""] = TOKEN.exec(token) ?? [];
      if (id === undefined || secret.length < SHORTEST_SECRET) return null;
      const bot = botWithId(Number(id));
      bot.token = token;
      bot.username = username;
      return bot;
    },
    list: () => [...bots.values()],
  };
}

function newBot(id: number): Bot {
  return {
    id,
    token: null,
    username: `sandbox_${id}_bot`,
    webhook: null,
    commands: [],
    nextMessageId: 1,
    nextUpdateId: 1,
    messages: recentMap(MESSAGES_REMEMBERED),
    refundedCharges: new Set(),
  };
}

/** The bot as a Telegram `User`. */
export function botUser({ id, username }: Bot) {
  return { id, is_bot: true, first_name: username, username };
}
