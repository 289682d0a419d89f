import { randomBytes } from "node:crypto";
import type { JsonObject } from "./json.ts";
import { type Bot, botUser } from "./telegram-bots.ts";
import {
  type Check,
  checkCallbackAnswer,
  checkCaption,
  checkChat,
  checkCommands,
  checkInvoice,
  checkMarkup,
  checkMessagePlace,
  checkPhoto,
  checkPreCheckoutAnswer,
  checkText,
  checkWebhook,
  invoiceTotal,
  visibleText,
} from "./telegram-checks.ts";
import { booleanParam, integerParam, type Params, textParam } from "./telegram-params.ts";

/** What a Bot API call came to. */
export type MethodOutcome =
  | { readonly kind: "ok"; readonly result: unknown; readonly description?: string }
  | { readonly kind: "refused"; readonly errorCode: number; readonly description: string };

type Perform = (bot: Bot, params: Params, nowSeconds: number) => MethodOutcome;

/** Runs a Bot API method. Unknown methods are answered 404, as Telegram does. Names are case-insensitive. */
export function callMethod(bot: Bot, method: string, params: Params, nowSeconds: number): MethodOutcome {
  const entry = METHODS.get(method.toLowerCase());
  if (entry === undefined) return refused("Not Found: method not found", 404);
  for (const check of entry.checks) {
    const description = check(params);
    if (description !== null) return refused(description);
  }
  return entry.perform(bot, params, nowSeconds);
}

const METHODS: ReadonlyMap<string, { checks: readonly Check[]; perform: Perform }> = new Map(
  Object.entries({
    getme: { checks: [], perform: getMe },
    setwebhook: { checks: [checkWebhook], perform: setWebhook },
    deletewebhook: { checks: [], perform: deleteWebhook },
    getwebhookinfo: { checks: [], perform: getWebhookInfo },
    sendmessage: { checks: [checkChat, checkText, checkMarkup], perform: sendMessage },
    sendphoto: { checks: [checkChat, checkPhoto, checkCaption, checkMarkup], perform: sendPhoto },
    sendinvoice: { checks: [checkChat, checkInvoice, checkMarkup], perform: sendInvoice },
    createinvoicelink: { checks: [checkInvoice], perform: createInvoiceLink },
    answercallbackquery: { checks: [checkCallbackAnswer], perform: () => ok(true) },
    answerprecheckoutquery: { checks: [checkPreCheckoutAnswer], perform: () => ok(true) },
    editmessagetext: { checks: [checkMessagePlace, checkText, checkMarkup], perform: editMessageText },
    editmessagereplymarkup: { checks: [checkMessagePlace, checkMarkup], perform: editMessageReplyMarkup },
    setmycommands: { checks: [checkCommands], perform: setMyCommands },
    refundstarpayment: { checks: [], perform: refundStarPayment },
  }),
);

function getMe(bot: Bot): MethodOutcome {
  return ok({
    ...botUser(bot),
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  });
}

function setWebhook(bot: Bot, params: Params): MethodOutcome {
  const url = textParam(params, "url");
  if (url === null) return deleteWebhook(bot);
  const allowed = Array.isArray(params.allowed_updates) ? params.allowed_updates.map(String) : null;
  bot.webhook = {
    url,
    secretToken: textParam(params, "secret_token"),
    maxConnections: integerParam(params, "max_connections") ?? 40,
    // Bot API: "if not specified, the previous setting will be used".
    allowedUpdates: allowed ?? bot.webhook?.allowedUpdates ?? [],
    lastError: null,
  };
  return ok(true, "Webhook was set");
}

function deleteWebhook(bot: Bot): MethodOutcome {
  const description = bot.webhook === null ? "Webhook is already deleted" : "Webhook was deleted";
  bot.webhook = null;
  return ok(true, description);
}

function getWebhookInfo({ webhook }: Bot): MethodOutcome {
  return ok({
    url: webhook?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: 0,
    ...(webhook !== null && { max_connections: webhook.maxConnections }),
    ...(webhook !== null && webhook.allowedUpdates.length > 0 && { allowed_updates: webhook.allowedUpdates }),
    ...(webhook?.lastError && {
      last_error_date: webhook.lastError.atSeconds,
      last_error_message: webhook.lastError.message,
    }),
  });
}

function sendMessage(bot: Bot, params: Params, nowSeconds: number): MethodOutcome {
  return send(bot, params, nowSeconds, { text: visibleText(params, "text") });
}

function sendPhoto(bot: Bot, params: Params, nowSeconds: number): MethodOutcome {
  const fileId = randomBytes(24).toString("base64url");
  const photo = [{ file_id: fileId, file_unique_id: fileId.slice(0, 16), width: 320, height: 320 }];
  const caption = visibleText(params, "caption");
  return send(bot, params, nowSeconds, { photo, ...(caption !== "" && { caption }) });
}

function sendInvoice(bot: Bot, params: Params, nowSeconds: number): MethodOutcome {
  const invoice = {
    title: textParam(params, "title"),
    description: textParam(params, "description"),
    start_parameter: textParam(params, "start_parameter") ?? "",
    currency: textParam(params, "currency"),
    total_amount: invoiceTotal(params),
  };
  return send(bot, params, nowSeconds, { invoice });
}

function createInvoiceLink(): MethodOutcome {
  return ok(`https://t.me/$${randomBytes(16).toString("base64url")}`);
}

function editMessageText(bot: Bot, params: Params, nowSeconds: number): MethodOutcome {
  return edit(bot, params, nowSeconds, { text: visibleText(params, "text") });
}

function editMessageReplyMarkup(bot: Bot, params: Params, nowSeconds: number): MethodOutcome {
  return edit(bot, params, nowSeconds, {});
}

function setMyCommands(bot: Bot, { commands }: Params): MethodOutcome {
  bot.commands = Array.isArray(commands) ? commands : [];
  return ok(true);
}

function refundStarPayment(bot: Bot, params: Params): MethodOutcome {
  const charge = textParam(params, "telegram_payment_charge_id");
  if (integerParam(params, "user_id") === null) return refused("Bad Request: USER_ID_INVALID");
  if (charge === null) return refused("Bad Request: CHARGE_ID_EMPTY");
  if (bot.refundedCharges.has(charge)) return refused("Bad Request: CHARGE_ALREADY_REFUNDED");
  bot.refundedCharges.add(charge);
  return ok(true);
}

/** Sends a message: gives it an id and remembers it. */
function send(bot: Bot, params: Params, nowSeconds: number, content: JsonObject): MethodOutcome {
  const chat = textParam(params, "chat_id") ?? "";
  const message: JsonObject = {
    message_id: bot.nextMessageId,
    from: botUser(bot),
    chat: chatOf(chat),
    date: nowSeconds,
    ...content,
    ...markupOf(params),
    ...(booleanParam(params, "protect_content") === true && { has_protected_content: true }),
  };
  bot.messages.set(`${chat}:${bot.nextMessageId}`, message);
  bot.nextMessageId += 1;
  return ok(message);
}

/** Changes a message it sent; Telegram refuses an unknown message and a change that changes nothing. */
function edit(bot: Bot, params: Params, nowSeconds: number, content: JsonObject): MethodOutcome {
  if (textParam(params, "inline_message_id") !== null) return ok(true);
  const key = `${textParam(params, "chat_id")}:${integerParam(params, "message_id")}`;
  const before = bot.messages.get(key);
  if (before === undefined) return refused("Bad Request: message to edit not found");
  const { reply_markup: markupBefore, edit_date: editedAt, ...rest } = before;
  const after = { ...rest, ...content, ...markupOf(params) };
  if (JSON.stringify(after) === JSON.stringify({ ...rest, ...markupOf({ reply_markup: markupBefore }) })) {
    return refused(
      "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  const message = { ...after, edit_date: Math.max(nowSeconds, Number(editedAt ?? 0)) };
  bot.messages.set(key, message);
  return ok(message);
}

function markupOf({ reply_markup: markup }: Params): JsonObject {
  return markup === undefined ? {} : { reply_markup: markup };
}

/** A positive id is a private chat, a negative one a group, `@name` a channel. */
function chatOf(chat: string): JsonObject {
  if (chat.startsWith("@")) return { id: -1_000_000_000_001, type: "channel", username: chat.slice(1) };
  const id = Number(chat);
  return id > 0
    ? { id, type: "private", first_name: `User ${id}` }
    : { id, type: "supergroup", title: `Chat ${id}` };
}

function ok(result: unknown, description?: string): MethodOutcome {
  return { kind: "ok", result, ...(description !== undefined && { description }) };
}

function refused(description: string, errorCode = 400): MethodOutcome {
  return { kind: "refused", errorCode, description };
}
