import { z } from "zod";
import type { OutboxEntry } from "../outbox/enqueue.ts";
import { formatRoute, parseRoute } from "../outbox/routes.ts";
import { parseJson } from "../platform/json.ts";
import { parseInput } from "../platform/parse-input.ts";
import type { OutgoingMessage } from "../telegram/messages.ts";
import type { BotUser } from "../tracking/bot-users.ts";

/** What a Telegram row of the outbox holds. No secret: tokens are put in when it is sent. */
type Outgoing = MethodCall | CheckoutCall;

/** A Bot API method with its parameters. */
export type MethodCall = z.output<typeof methodCall>;

/** The way to pay, which the provider is asked for when the row's turn comes. */
export type CheckoutCall = z.output<typeof checkoutCall>;

const methodCall = z.object({
  method: z.enum(["sendMessage", "sendInvoice"]),
  body: z.looseObject({ chat_id: z.string() }),
});
const checkoutCall = z.object({
  method: z.literal("checkout"),
  payment_id: z.string(),
  chat_id: z.string(),
  language: z.string().nullable(),
});
const outgoing = z.union([checkoutCall, methodCall]);

/** Reads a row's payload; null where nothing of ours looks like that. */
export function readOutgoing(payload: string): Outgoing | null {
  const parsed = parseInput(outgoing, parseJson(payload));
  return parsed.kind === "valid" ? parsed.value : null;
}

/** Whom it goes to. */
export function chatOf(message: Outgoing): string {
  return message.method === "checkout" ? message.chat_id : message.body.chat_id;
}

/** Whose chat, and what it has to do with. */
export interface Recipient {
  readonly botId: number;
  readonly botUser: Pick<BotUser, "id">;
  readonly poolId: number | null;
  readonly trackingToken: string | null;
}

interface About {
  readonly eventName: string;
  readonly eventId: string;
  readonly paymentId?: string;
  /**
   * For what depends on somebody besides Telegram, such as a payment provider: while that is down, or not set up, it
   * holds up no other message of the bot.
   */
  readonly lane?: string;
}

/** A message as the outbox takes it; `eventId` tells it from every other message. */
export function messageEntry(
  { botId, botUser, poolId, trackingToken }: Recipient,
  message: OutgoingMessage,
  { lane, ...about }: About,
): OutboxEntry {
  return {
    destination: "telegram",
    route: formatRoute(botId, lane ?? null),
    payload: message,
    poolId,
    trackingToken,
    botUserId: botUser.id,
    ...about,
  };
}

/** A checkout goes by its provider's lane. */
export function checkoutEntry(
  { botId, botUser, poolId, trackingToken }: Recipient,
  call: Omit<CheckoutCall, "method">,
  about: { readonly eventId: string; readonly provider: string },
): OutboxEntry {
  return {
    destination: "telegram",
    route: formatRoute(botId, about.provider),
    eventName: "checkout",
    eventId: about.eventId,
    payload: { method: "checkout", ...call } satisfies CheckoutCall,
    poolId,
    trackingToken,
    botUserId: botUser.id,
    paymentId: call.payment_id,
  };
}

/** The bot's id out of a route. */
export function botOfRoute(route: string): number {
  return Number(parseRoute(route).account);
}
