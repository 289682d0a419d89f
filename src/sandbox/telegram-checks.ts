import { hostname, networkInterfaces } from "node:os";
import { isJsonObject } from "./json.ts";
import { parseTelegramHtml } from "./telegram-html.ts";
import { booleanParam, integerParam, type Params, textParam } from "./telegram-params.ts";

/**
 * Each check answers Telegram's error description, or `null` where the parameters pass.
 * Limits: Bot API documentation; wording as the server answers it.
 */
export type Check = (params: Params) => string | null;

/** `chat_id`: a number or `@channelusername`. */
export const checkChat: Check = (params) => {
  const chat = textParam(params, "chat_id");
  if (chat === null) return "Bad Request: chat_id is empty";
  return /^(?:-?\d{1,16}|@\w{4,32})$/.test(chat) ? null : "Bad Request: chat not found";
};

/** `text` of a message, with its `parse_mode`: 1 to 4096 characters after parsing. */
export const checkText: Check = (params) => {
  const found = visibleText(params, "text");
  if (typeof found !== "string") return found.description;
  if (found.trim() === "") return "Bad Request: message text is empty";
  return found.length > 4096 ? "Bad Request: message is too long" : null;
};

/** `caption`: at most 1024 characters after parsing. */
export const checkCaption: Check = (params) => {
  const found = visibleText(params, "caption");
  if (typeof found !== "string") return found.description;
  return found.length > 1024 ? "Bad Request: message caption is too long" : null;
};

/** What the user sees of `text` or `caption`: tags stripped for HTML. Markdown is passed through unparsed. */
export function visibleText(params: Params, name: "text" | "caption"): string | { description: string } {
  const raw = textParam(params, name) ?? "";
  const mode = textParam(params, "parse_mode");
  if (mode === null || /^markdown(?:v2)?$/i.test(mode)) return raw;
  if (!/^html$/i.test(mode)) return { description: "Bad Request: unsupported parse_mode" };
  const parsed = parseTelegramHtml(raw);
  return parsed.kind === "parsed" ? parsed.text : { description: parsed.description };
}

/** `photo`: a file id, an http(s) URL or an uploaded file. */
export const checkPhoto: Check = (params) => {
  const photo = params.photo;
  if (isJsonObject(photo)) return null;
  return textParam(params, "photo") === null ? "Bad Request: there is no photo in the request" : null;
};

const BUTTON_ACTIONS = [
  "url",
  "callback_data",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
] as const;

const MOST_BUTTONS = 100;

/**
 * `reply_markup`: an object of at most 100 buttons; inline buttons need text, one action, data of 1–64 bytes, usable URLs,
 * 1–256 characters to copy.
 */
export const checkMarkup: Check = ({ reply_markup: markup }) => {
  if (markup === undefined) return null;
  if (!isJsonObject(markup)) return "Bad Request: can't parse reply markup JSON object";
  if (markup.inline_keyboard === undefined) return null;
  const rows = markup.inline_keyboard;
  if (!Array.isArray(rows)) return 'Bad Request: field "inline_keyboard" must be of type Array';
  for (const row of rows) {
    if (!Array.isArray(row)) return "Bad Request: inline keyboard row must be an Array";
    for (const button of row) {
      const found = buttonProblem(button);
      if (found !== null) return found;
    }
  }
  return rows.flat().length > MOST_BUTTONS ? "Bad Request: reply markup is too long" : null;
};

function buttonProblem(button: unknown): string | null {
  if (!isJsonObject(button)) return "Bad Request: can't parse inline keyboard button: expected an Object";
  if (typeof button.text !== "string" || button.text === "") {
    return "Bad Request: inline keyboard button text must be non-empty";
  }
  if (BUTTON_ACTIONS.filter((action) => button[action] !== undefined).length !== 1) {
    return "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard";
  }
  const { callback_data: data, url, copy_text: copied } = button;
  if (data !== undefined) {
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : 0;
    if (bytes < 1 || bytes > 64) return "Bad Request: BUTTON_DATA_INVALID";
  }
  if (url !== undefined && (typeof url !== "string" || !/^(?:https?|tg):\/\/[^\s/]+/i.test(url))) {
    return `Bad Request: inline keyboard button URL '${String(url)}' is invalid: Wrong HTTP URL`;
  }
  if (copied !== undefined) {
    const length = isJsonObject(copied) && typeof copied.text === "string" ? copied.text.length : 0;
    if (length < 1 || length > 256) return "Bad Request: BUTTON_COPY_TEXT_INVALID";
  }
  return null;
}

/** Where the edited message is: `inline_message_id`, or `chat_id` and `message_id`. */
export const checkMessagePlace: Check = (params) => {
  if (textParam(params, "inline_message_id") !== null) return null;
  const chat = checkChat(params);
  if (chat !== null) return chat;
  return integerParam(params, "message_id") === null
    ? "Bad Request: message identifier is not specified"
    : null;
};

/** `sendInvoice` and `createInvoiceLink`: texts, payload, currency, prices, and the provider's token. */
export const checkInvoice: Check = (params) => {
  const title = textParam(params, "title") ?? "";
  const description = textParam(params, "description") ?? "";
  const payloadBytes = Buffer.byteLength(textParam(params, "payload") ?? "");
  const currency = textParam(params, "currency") ?? "";
  if (title.length < 1 || title.length > 32) return "Bad Request: INVOICE_TITLE_INVALID";
  if (description.length < 1 || description.length > 255) return "Bad Request: INVOICE_DESCRIPTION_INVALID";
  if (payloadBytes < 1 || payloadBytes > 128) return "Bad Request: INVOICE_PAYLOAD_INVALID";
  if (!/^[A-Z]{3}$/.test(currency)) return "Bad Request: CURRENCY_INVALID";
  const prices = Array.isArray(params.prices) ? params.prices : [];
  if (prices.length === 0 || invoiceTotal(params) === null)
    return "Bad Request: can't parse prices JSON object";
  // Telegram Stars: no provider, one price.
  if (currency === "XTR") return prices.length === 1 ? null : "Bad Request: STARS_INVOICE_INVALID";
  return textParam(params, "provider_token") === null ? "Bad Request: PAYMENT_PROVIDER_INVALID" : null;
};

/** The sum of `prices` in the currency's minor unit; `null` where one is not `{ label, amount: integer }`. */
export function invoiceTotal({ prices }: Params): number | null {
  if (!Array.isArray(prices)) return null;
  let total = 0;
  for (const price of prices) {
    if (!isJsonObject(price) || typeof price.label !== "string" || price.label === "") return null;
    if (typeof price.amount !== "number" || !Number.isSafeInteger(price.amount)) return null;
    total += price.amount;
  }
  return total > 0 ? total : null;
}

/** `answerCallbackQuery`: the query's id, a toast of at most 200 characters. */
export const checkCallbackAnswer: Check = (params) => {
  if (textParam(params, "callback_query_id") === null) {
    return "Bad Request: query is too old and response timeout expired or query ID is invalid";
  }
  return (textParam(params, "text") ?? "").length > 200 ? "Bad Request: MESSAGE_TOO_LONG" : null;
};

/** `answerPreCheckoutQuery`: the query's id, `ok`, and a reason where the answer is no. */
export const checkPreCheckoutAnswer: Check = (params) => {
  if (textParam(params, "pre_checkout_query_id") === null) return "Bad Request: QUERY_ID_INVALID";
  const ok = booleanParam(params, "ok");
  if (ok === null) return 'Bad Request: parameter "ok" is required';
  return !ok && textParam(params, "error_message") === null
    ? 'Bad Request: parameter "error_message" is required'
    : null;
};

/** `setMyCommands`: at most 100 commands of `[a-z0-9_]{1,32}`, each with a description. */
export const checkCommands: Check = ({ commands }) => {
  if (!Array.isArray(commands)) return "Bad Request: can't parse commands list";
  if (commands.length > 100) return "Bad Request: BOT_COMMANDS_TOO_MUCH";
  for (const entry of commands) {
    const { command, description } = isJsonObject(entry) ? entry : {};
    if (typeof command !== "string" || !/^[a-z0-9_]{1,32}$/.test(command)) {
      return "Bad Request: BOT_COMMAND_INVALID";
    }
    if (typeof description !== "string" || description.length < 1 || description.length > 256) {
      return "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID";
    }
  }
  return null;
};

/** Of an https address; the usual one is written as none. Source: Bot API, "setWebhook". */
const WEBHOOK_PORTS: ReadonlySet<string> = new Set(["", "80", "88", "8443"]);

/** `setWebhook`: an https address (http only on this machine, for the demo), and a secret of allowed characters. */
export const checkWebhook: Check = (params) => {
  const url = textParam(params, "url");
  if (url === null) return null;
  const parsed = URL.parse(url);
  if (parsed === null) return "Bad Request: bad webhook: invalid webhook URL specified";
  if (parsed.protocol !== "https:" && !(parsed.protocol === "http:" && isThisMachine(parsed.hostname))) {
    return "Bad Request: bad webhook: An HTTPS URL must be provided for webhook";
  }
  if (parsed.protocol === "https:" && !WEBHOOK_PORTS.has(parsed.port)) {
    return "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443";
  }
  const secret = params.secret_token;
  if (secret !== undefined && secret !== "" && !/^[\w-]{1,256}$/.test(String(secret))) {
    return "Bad Request: secret token contains unallowed characters";
  }
  const { allowed_updates: allowed } = params;
  return allowed === undefined || Array.isArray(allowed)
    ? null
    : "Bad Request: can't parse allowed updates list";
};

/** By the host of a URL, which writes IPv6 in brackets. */
function isThisMachine(host: string): boolean {
  if (/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(host) || host === hostname().toLowerCase()) return true;
  const address = host.replace(/^\[|\]$/g, "");
  return Object.values(networkInterfaces()).some((own) => own?.some((one) => one.address === address));
}
