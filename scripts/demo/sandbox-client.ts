import { z } from "zod";

/** A message that the bot sent, with the data of its buttons. */
interface ChatMessage {
  readonly text: string;
  readonly buttons: readonly string[];
}

const TRIES = 600;
const PAUSE_MS = 50;

const callSchema = z.object({
  ok: z.boolean(),
  method: z.string(),
  params: z.looseObject({
    text: z.string().optional(),
    caption: z.string().optional(),
    reply_markup: z.unknown().optional(),
  }),
});
const keyboardSchema = z.object({
  inline_keyboard: z.array(z.array(z.object({ callback_data: z.string().optional() }))),
});
const eventSchema = z.object({ event: z.record(z.string(), z.unknown()) });
const paidSchema = z.object({ deliveries: z.array(z.object({ status: z.number().nullable() })) });

interface SandboxAccess {
  /** Posts the body where there is one. */
  ask(path: string, body?: object): Promise<unknown>;
  awaited<T>(what: string, look: () => Promise<T | undefined>): Promise<T>;
}

/**
 * The sandbox as a visitor moves it: what Meta received, a person's chat with the bot, and the provider's till.
 *
 * @param whyLate asked where something does not come: why not, in lines for people
 */
export function sandboxClient(url: string, whyLate: () => Promise<readonly string[]>) {
  const ask: SandboxAccess["ask"] = (path, body) => askSandbox(url, path, body);

  /** Asks again until there is something, as a person would look again; half a minute at most. */
  async function awaited<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (let i = 0; i < TRIES; i++) {
      const found = await look();
      if (found !== undefined) return found;
      await Bun.sleep(PAUSE_MS);
    }
    const late = `${what} did not come within ${(TRIES * PAUSE_MS) / 1000} s.`;
    throw new Error([late, ...(await whyLate())].join("\n"));
  }

  return {
    /** The event as Meta received it. */
    event: (name: string, eventId: string) =>
      awaited(`The ${name}`, async () => {
        const query = new URLSearchParams({ event_name: name, event_id: eventId });
        return z.array(eventSchema).parse(await ask(`/events?${query}`))[0]?.event;
      }),

    /** The provider takes the money, and says so to our webhook: the status it was answered with. */
    async pay(provider: string, paymentId: string): Promise<number | null> {
      const answer = await ask("/providers/events", { provider, charge: paymentId, event: "paid" });
      return paidSchema.parse(answer).deliveries[0]?.status ?? null;
    },

    /** A person's chat with the bot of this token. */
    chat: (token: string) => chatOf({ ask, awaited }, token),
  };
}

async function askSandbox(url: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(
    url + path,
    body && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    },
  ).catch(() => {
    throw new Error(`No sandbox answers at ${url}. Start the demo first: ./scripts/start`);
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`The sandbox refuses ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

function chatOf({ ask, awaited }: SandboxAccess, token: string) {
  const userId = 1_000_000_000 + Math.floor(Math.random() * 1_000_000_000);
  const from = { id: userId, is_bot: false, first_name: "Ana", language_code: "pt-BR" };
  const message = {
    message_id: 1,
    date: Math.floor(Date.now() / 1000),
    chat: { id: userId, type: "private" },
  };
  let read = 0;

  /** The bot's next message. */
  const next = () =>
    awaited("The bot's next message", async () => {
      const calls = z.array(callSchema).parse(await ask(`/telegram/calls?chat_id=${userId}`));
      const messages = calls.filter(({ ok, params }) => ok && (params.text ?? params.caption) !== undefined);
      const found = messages[read];
      if (found) read += 1;
      return (
        found && {
          text: found.params.text ?? found.params.caption ?? "",
          buttons: buttonsOf(found.params.reply_markup),
        }
      );
    });
  const push = (update: object) => ask("/telegram/updates", { token, update });

  return {
    next,
    async say(text: string): Promise<ChatMessage> {
      const entities = [{ type: "bot_command", offset: 0, length: text.split(" ")[0]?.length ?? 0 }];
      await push({ message: { ...message, from, text, entities } });
      return next();
    },
    /** Taps the message's first button whose data begins so. */
    async tap({ text, buttons }: ChatMessage, prefix: string): Promise<ChatMessage> {
      const data = buttons.find((button) => button.startsWith(prefix));
      if (data === undefined) throw new Error(`The message has no such button: ${text}`);
      const callback = { id: crypto.randomUUID(), from, chat_instance: "demo", data };
      await push({ callback_query: { ...callback, message: { ...message, text } } });
      return next();
    },
  };
}

function buttonsOf(markup: unknown): string[] {
  const keyboard = keyboardSchema.safeParse(typeof markup === "string" ? JSON.parse(markup) : markup);
  return (keyboard.data?.inline_keyboard ?? []).flat().flatMap(({ callback_data }) => callback_data ?? []);
}
