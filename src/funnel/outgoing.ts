import { z } from "zod";
import type { OutboxEntry } from "../outbox/enqueue.ts";
import { parseInput } from "../pools/rules.ts";
import type { OutgoingMessage } from "../telegram/messages.ts";

/** What a Telegram row of the outbox holds. No secret: tokens are put in when it is sent. */
export type Outgoing = MethodCall | CheckoutCall;

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

export function chatOf(message: Outgoing): string {
  return message.method === "checkout" ? message.chat_id : message.body.chat_id;
}

/** Whose chat, and what it has to do with. */
export interface Recipient {
  readonly botId: number;
  readonly poolId: number | null;
  readonly trackingToken: string | null;
}

/** A message as the outbox takes it; `eventId` tells it from every other message. */
export function messageEntry(
  { botId, poolId, trackingToken }: Recipient,
  message: OutgoingMessage,
  about: { readonly eventName: string; readonly eventId: string; readonly paymentId?: string },
): OutboxEntry {
  return {
    destination: "telegram",
    route: botRoute(botId),
    payload: message,
    poolId,
    trackingToken,
    ...about,
  };
}

/** A checkout goes by a route of its own: a provider that is down holds up no other message of the bot. */
export function checkoutEntry(
  { botId, poolId, trackingToken }: Recipient,
  call: Omit<CheckoutCall, "method">,
  about: { readonly eventId: string; readonly provider: string },
): OutboxEntry {
  return {
    destination: "telegram",
    route: `${botRoute(botId)}/${about.provider}`,
    eventName: "checkout",
    eventId: about.eventId,
    payload: { method: "checkout", ...call } satisfies CheckoutCall,
    poolId,
    trackingToken,
    paymentId: call.payment_id,
  };
}

function botRoute(botId: number): string {
  return String(botId);
}

/** The bot's id out of a route, `<bot>` or `<bot>/<provider>`. */
export function botOfRoute(route: string): number {
  return Number(route.split("/", 1)[0]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told apart by the schema, like everything else that is not ours.
  }
}
