import { describe, expect, test } from "bun:test";
import { hostname, networkInterfaces } from "node:os";
import { Api, GrammyError, HttpError, InlineKeyboard, InputFile } from "grammy";
import { BOT_TOKEN, networkErrorOf, useSandbox } from "./client.ts";

const client = useSandbox();
const INVOICE = {
  title: "Course",
  description: "Six lessons",
  payload: "pay_1",
  currency: "BRL",
  provider_token: "p:1",
  prices: [{ label: "Course", amount: 1990 }],
};
const calls = async (query = "") => (await client.call("GET", `/telegram/calls${query}`)).json;

describe("a bot's token", () => {
  test("names the bot by its digits", async () => {
    expect((await client.bot("getMe")).json).toMatchObject({
      ok: true,
      result: { id: 123456789, is_bot: true, username: "sandbox_123456789_bot" },
    });
  });

  test.each([
    ["123456789:short", 401, "Unauthorized"],
    ["notatoken", 404, "Not Found"],
    [":AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr", 404, "Not Found"],
    ["123:AAbbCCddEEffGGhhIIjjKKllMMnnOOpp+Q", 404, "Not Found"],
  ])("%s is refused", async (token, status, description) => {
    const answer = await client.call("POST", `/bot${token}/getMe`);
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ ok: false, error_code: status, description });
  });

  test("can be registered with a username, after which the bot takes no other", async () => {
    const token = "555:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr";
    const bot = await client.call("POST", "/telegram/bots", { token, username: "@loja_demo_bot" });
    expect(bot.status).toBe(201);
    expect((await client.call("POST", `/bot${token}/getMe`)).json.result.username).toBe("loja_demo_bot");
    expect((await client.call("POST", `/bot${token}x/getMe`)).status).toBe(401);
    expect((await client.call("POST", "/telegram/bots", { token: "x", username: "loja_bot" })).status).toBe(
      400,
    );
  });

  test("is shown neither in the calls nor in the requests", async () => {
    await client.bot("setWebhook", { url: "https://ponte.example/t", secret_token: "hush" });
    await client.bot("deleteWebhook");
    const shown =
      (await client.call("GET", "/telegram/calls")).text + (await client.call("GET", "/requests")).text;
    expect(shown).not.toContain(BOT_TOKEN.slice(-10));
    expect(shown).not.toContain("hush");
    expect(shown).toContain("/bot123456789:***/setWebhook");
    expect(shown).toContain('"token":"123456789:***"');
  });
});

describe("a message", () => {
  test("comes back with id, sender, chat, date, text and buttons, and is listed", async () => {
    const markup = { inline_keyboard: [[{ text: "Buy", callback_data: "buy:1" }]] };
    const first = await client.bot("sendMessage", { chat_id: 42, text: "Olá", reply_markup: markup });
    expect(first.json).toMatchObject({
      ok: true,
      result: {
        from: { id: 123456789, is_bot: true },
        chat: { id: 42, type: "private" },
        text: "Olá",
        reply_markup: markup,
        date: expect.any(Number),
      },
    });
    const second = await client.bot("sendMessage", { chat_id: 43, text: "Hi" });
    expect(second.json.result.message_id).toBe(first.json.result.message_id + 1);
    expect(await calls("?method=sendMessage&chat_id=42")).toMatchObject([
      {
        bot_id: 123456789,
        method: "sendMessage",
        params: { chat_id: 42 },
        ok: true,
        status: 200,
        via: "api",
      },
    ]);
  });

  test("may come as a form, with JSON in its fields", async () => {
    const form = new URLSearchParams({
      chat_id: "42",
      text: "Hi",
      reply_markup: JSON.stringify({ inline_keyboard: [[{ text: "Go", url: "https://a.example" }]] }),
    });
    const response = await fetch(`${client.sandbox().url}/bot${BOT_TOKEN}/sendMessage`, {
      method: "POST",
      body: form,
    });
    expect(response.status).toBe(200);
    expect((await calls())[0].params.reply_markup.inline_keyboard[0][0].text).toBe("Go");
  });

  test("in HTML is shown without its tags", async () => {
    const sent = await client.bot("sendMessage", {
      chat_id: 42,
      parse_mode: "HTML",
      text: "<b>Oi &amp; <i>tchau</i></b> &lt;3",
    });
    expect(sent.json.result.text).toBe("Oi & tchau <3");
  });

  test("can be edited; the same edit again, or of an unknown message, is refused", async () => {
    const { message_id } = (await client.bot("sendMessage", { chat_id: 42, text: "one" })).json.result;
    const edit = { chat_id: 42, message_id, text: "two" };
    expect((await client.bot("editMessageText", edit)).json.result).toMatchObject({
      message_id,
      text: "two",
    });
    expect((await client.bot("editMessageText", edit)).json.description).toContain("message is not modified");
    const unknown = await client.bot("editMessageText", { ...edit, message_id: 999_999 });
    expect(unknown.json.description).toBe("Bad Request: message to edit not found");
    const markup = { inline_keyboard: [[{ text: "Done", callback_data: "x" }]] };
    const edited = await client.bot("editMessageReplyMarkup", {
      chat_id: 42,
      message_id,
      reply_markup: markup,
    });
    expect(edited.json.result).toMatchObject({ text: "two", reply_markup: markup });
  });
});

test("photos, invoices, links, answers, commands and Star refunds have Telegram's results", async () => {
  const photo = await client.bot("sendPhoto", {
    chat_id: 42,
    photo: "https://a.example/p.png",
    caption: "QR",
  });
  expect(photo.json.result).toMatchObject({ caption: "QR", photo: [{ file_id: expect.any(String) }] });
  const invoice = await client.bot("sendInvoice", { chat_id: 42, ...INVOICE });
  expect(invoice.json.result.invoice).toMatchObject({ currency: "BRL", total_amount: 1990 });
  const stars = { ...INVOICE, currency: "XTR", provider_token: undefined };
  expect((await client.bot("createInvoiceLink", stars)).json.result).toStartWith("https://t.me/$");
  expect((await client.bot("answerCallbackQuery", { callback_query_id: "1" })).json.result).toBe(true);
  expect(
    (await client.bot("answerPreCheckoutQuery", { pre_checkout_query_id: "1", ok: true })).json.result,
  ).toBe(true);
  const commands = [{ command: "start", description: "Start" }];
  expect((await client.bot("setMyCommands", { commands })).json.result).toBe(true);
  const refund = { user_id: 42, telegram_payment_charge_id: "c1" };
  expect((await client.bot("refundStarPayment", refund)).json.result).toBe(true);
  expect((await client.bot("refundStarPayment", refund)).json.description).toBe(
    "Bad Request: CHARGE_ALREADY_REFUNDED",
  );
});

const button = (fields: Record<string, unknown>) => ({
  chat_id: 1,
  text: "x",
  reply_markup: { inline_keyboard: [[fields]] },
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["sendMessage", { text: "x" }, /chat_id is empty/],
  ["sendMessage", { chat_id: "someone", text: "x" }, /chat not found/],
  ["sendMessage", { chat_id: 1 }, /message text is empty/],
  ["sendMessage", { chat_id: 1, text: "  " }, /message text is empty/],
  ["sendMessage", { chat_id: 1, text: "x".repeat(4097) }, /message is too long/],
  ["sendMessage", { chat_id: 1, text: "x", parse_mode: "BBCode" }, /unsupported parse_mode/],
  ["sendMessage", { chat_id: 1, text: "a < b", parse_mode: "HTML" }, /can't parse entities/],
  ["sendMessage", { chat_id: 1, text: "x", reply_markup: "{" }, /reply markup JSON/],
  ["sendMessage", button({ text: "" }), /button text must be non-empty/],
  ["sendMessage", button({ text: "a" }), /Text buttons are unallowed/],
  ["sendMessage", button({ text: "a", callback_data: "x".repeat(65) }), /BUTTON_DATA_INVALID/],
  ["sendMessage", button({ text: "a", copy_text: { text: "x".repeat(257) } }), /COPY_TEXT_INVALID/],
  ["sendMessage", button({ text: "a", url: "javascript:alert(1)" }), /Wrong HTTP URL/],
  ["sendPhoto", { chat_id: 1 }, /there is no photo/],
  ["sendPhoto", { chat_id: 1, photo: "f", caption: "x".repeat(1025) }, /caption is too long/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, title: "" }, /INVOICE_TITLE_INVALID/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, description: "" }, /INVOICE_DESCRIPTION_INVALID/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, payload: "x".repeat(129) }, /INVOICE_PAYLOAD_INVALID/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, currency: "real" }, /CURRENCY_INVALID/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, prices: [{ label: "a", amount: 19.9 }] }, /prices/],
  ["sendInvoice", { chat_id: 1, ...INVOICE, provider_token: "" }, /PAYMENT_PROVIDER_INVALID/],
  [
    "createInvoiceLink",
    { ...INVOICE, currency: "XTR", prices: [...INVOICE.prices, ...INVOICE.prices] },
    /STARS/,
  ],
  ["answerCallbackQuery", {}, /query ID is invalid/],
  ["answerPreCheckoutQuery", { pre_checkout_query_id: "1" }, /"ok" is required/],
  ["answerPreCheckoutQuery", { pre_checkout_query_id: "1", ok: false }, /"error_message" is required/],
  ["editMessageText", { chat_id: 1, text: "x" }, /message identifier is not specified/],
  ["setMyCommands", { commands: [{ command: "Start", description: "x" }] }, /BOT_COMMAND_INVALID/],
  ["setWebhook", { url: "http://ponte.example/t" }, /HTTPS URL must be provided/],
  ["setWebhook", { url: "https://ponte.example:3000/t" }, /only on ports 80, 88, 443 or 8443/],
  ["setWebhook", { url: "https://ponte.example/t", secret_token: "a b" }, /unallowed characters/],
  ["refundStarPayment", { user_id: 1 }, /CHARGE_ID_EMPTY/],
])("%s with %j is a Bad Request", async (method, params, description) => {
  const answer = await client.bot(method, params);
  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ ok: false, error_code: 400 });
  expect(answer.json.description).toMatch(description);
  expect((await calls())[0]).toMatchObject({ method, ok: false, status: 400 });
});

test("a keyboard has at most a hundred buttons", async () => {
  const withButtons = (n: number) => {
    const row = Array.from({ length: n }, () => ({ text: "a", callback_data: "a" }));
    return client.bot("sendMessage", { chat_id: 1, text: "x", reply_markup: { inline_keyboard: [row] } });
  };
  expect((await withButtons(100)).status).toBe(200);
  expect((await withButtons(101)).json.description).toBe("Bad Request: reply markup is too long");
});

test("a webhook may go by http to an address of this machine, as the demo's does", async () => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const hosts = own.map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address));
  for (const host of ["localhost", hostname(), "127.0.0.2", ...hosts]) {
    const answer = await client.bot("setWebhook", { url: `http://${host}:3000/telegram/1` });
    expect({ host, status: answer.status }).toEqual({ host, status: 200 });
  }
});

test("an unknown method is not found, a body that is no JSON or does not say so is a Bad Request", async () => {
  expect((await client.bot("sendCarrierPigeon")).status).toBe(404);
  expect((await client.call("POST", `/bot${BOT_TOKEN}/sendMessage`, "{")).status).toBe(400);
  const plain = { "content-type": "text/plain" };
  const unread = await client.call("POST", `/bot${BOT_TOKEN}/sendMessage`, { chat_id: 1, text: "x" }, plain);
  expect(unread.status).toBe(400);
});

describe("faults", () => {
  const arm = (fault: Record<string, unknown>) => client.call("POST", "/telegram/faults", fault);
  const send = (chat_id = 42) => client.bot("sendMessage", { chat_id, text: "x" });

  test("429 says when to come back", async () => {
    await arm({ mode: "429", retry_after: 7 });
    const answer = await send();
    expect(answer.status).toBe(429);
    expect(answer.json).toEqual({
      ok: false,
      error_code: 429,
      description: "Too Many Requests: retry after 7",
      parameters: { retry_after: 7 },
    });
    expect((await send()).status).toBe(200);
    expect((await calls()).map((call: { ok: boolean }) => call.ok)).toEqual([false, true]);
  });

  test("403 is a user who blocked the bot, for that chat and method only", async () => {
    await arm({ mode: "403", chat_id: 42, method: "sendMessage", times: 2 });
    expect((await send(43)).status).toBe(200);
    expect((await client.bot("sendPhoto", { chat_id: 42, photo: "f" })).status).toBe(200);
    expect((await send(42)).json.description).toBe("Forbidden: bot was blocked by the user");
    expect((await client.call("GET", "/telegram/faults")).json[0].remaining).toBe(1);
  });

  test("500 and reset fail before the message is sent, or after it with `after`", async () => {
    await arm({ mode: "500" });
    expect((await send()).status).toBe(500);
    await arm({ mode: "reset" });
    expect(await networkErrorOf(() => send())).toBe("ECONNRESET");
    await arm({ mode: "reset", after: true });
    expect(await networkErrorOf(() => send())).toBe("ECONNRESET");
    const listed = await calls();
    expect(listed.map((call: { status: number | null }) => call.status)).toEqual([500, null, null]);
    expect(listed.map((call: { result?: unknown }) => call.result !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
    expect(listed.map((call: { ok: boolean }) => call.ok)).toEqual([false, false, false]);
  });
});

describe("grammY's own client", () => {
  const api = () => new Api(BOT_TOKEN, { apiRoot: client.sandbox().url });

  test("reads our results", async () => {
    const keyboard = new InlineKeyboard().text("Buy", "buy:1").url("Site", "https://a.example");
    const message = await api().sendMessage(42, "Olá", { reply_markup: keyboard });
    expect(message.chat).toMatchObject({ id: 42, type: "private" });
    expect((await api().getMe()).id).toBe(123456789);
    const photo = await api().sendPhoto(42, new InputFile(new Uint8Array([1, 2, 3]), "qr.png"));
    expect(photo.photo).toHaveLength(1);
  });

  test("reads our errors", async () => {
    await client.call("POST", "/telegram/faults", { mode: "429", retry_after: 3 });
    const limited = await api()
      .sendMessage(42, "x")
      .catch((error: unknown) => error);
    expect(limited).toBeInstanceOf(GrammyError);
    expect(limited).toMatchObject({ error_code: 429, parameters: { retry_after: 3 } });
    await client.call("POST", "/telegram/faults", { mode: "reset" });
    expect(
      await api()
        .sendMessage(42, "x")
        .catch((error: unknown) => error),
    ).toBeInstanceOf(HttpError);
  });
});
