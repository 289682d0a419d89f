import { describe, expect, test } from "bun:test";
import { crc32, inflateSync } from "node:zlib";
import fc from "fast-check";
import { encode } from "uqr";
import { formatMoney } from "../../src/money/format.ts";
import { createBots } from "../../src/sandbox/telegram-bots.ts";
import { callMethod } from "../../src/sandbox/telegram-methods.ts";
import { checkoutMessage, type SendPhoto } from "../../src/telegram/checkout-message.ts";
import {
  deliveryMessage,
  escapeHtml,
  invoiceMessage,
  type OutgoingMessage,
  offerMessage,
  readButton,
  type SendMessage,
  welcomeMessage,
} from "../../src/telegram/messages.ts";
import { chatLocale } from "../../src/telegram/texts.ts";

const offer = { id: 7, name: "Curso", description: "Tudo", priceMinor: 4_990, currency: "BRL" };

/** Telegram's own checks, as the sandbox has them: null where the message would be taken. */
function refusal(message: OutgoingMessage | SendPhoto): string | null {
  const bot = createBots().register("700001:AAF-a_well_formed_token_of_a_test_bot", "shop_bot");
  if (bot === null) throw new Error("no bot");
  const outcome = callMethod(
    bot,
    message.method,
    { ...message.body, ...(message.method === "sendPhoto" && { photo: { size: message.photo.length } }) },
    1,
  );
  return outcome.kind === "ok" ? null : outcome.description;
}

const pixMessage = (code: string) =>
  checkoutMessage("5", offer, { kind: "pix", code, url: "https://pay.example.com/qr" }, "pt-BR");

/** The dark squares of a PNG of one bit a pixel, read in their middles. */
function squaresOf(png: Uint8Array, scale: number): string[] {
  const view = new DataView(png.buffer, png.byteOffset);
  const chunks = new Map<string, Uint8Array>();
  for (let at = 8; at < png.length; at += view.getUint32(at) + 12) {
    const data = png.subarray(at + 8, at + 8 + view.getUint32(at));
    expect(view.getUint32(at + 8 + data.length)).toBe(crc32(png.subarray(at + 4, at + 8 + data.length)));
    chunks.set(new TextDecoder().decode(png.subarray(at + 4, at + 8)), data);
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  const side = view.getUint32(16);
  const rows = inflateSync(chunks.get("IDAT") ?? new Uint8Array());
  const stride = rows.length / side;
  const isDark = (x: number, y: number) => ((rows[y * stride + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) === 0;
  const middles = Array.from({ length: side / scale }, (_, i) => i * scale + scale / 2);
  return middles.map((y) => middles.map((x) => Number(isDark(x, y))).join(""));
}

describe("messages", () => {
  test("the welcome greets in the person's language and has a button for each offer", () => {
    const { body } = welcomeMessage("5", { welcome: null, offers: [offer], firstName: "Ana" }, "pt-BR");
    expect(body.text).toBe("Olá, Ana! 👋\n\nEscolha uma opção abaixo:");
    const [[button] = []] = body.reply_markup?.inline_keyboard ?? [];
    expect(button).toEqual({ text: "Curso · R$\u00a049,90", callback_data: "offer:7" });
    const english = welcomeMessage("5", { welcome: null, offers: [], firstName: null }, "en");
    expect(english.body.text).toContain("Hello! 👋");
    expect(english.body.reply_markup).toBeUndefined();
  });

  test("of more offers than a keyboard may hold the first are shown: Telegram would refuse it whole", () => {
    const offers = Array.from({ length: 60 }, (_, i) => ({ ...offer, id: i + 1 }));
    const { body } = welcomeMessage("5", { welcome: null, offers }, "pt-BR");
    const ids = body.reply_markup?.inline_keyboard.flat().map((button) => Object.values(button).at(-1));
    expect(ids).toEqual(offers.slice(0, 50).map(({ id }) => `offer:${id}`));
  });

  test("a long name leaves the price in its button", () => {
    const { body } = welcomeMessage(
      "5",
      { welcome: null, offers: [{ ...offer, name: "N".repeat(100) }] },
      "pt-BR",
    );
    const [[button] = []] = body.reply_markup?.inline_keyboard ?? [];
    expect(button?.text).toBe(`${"N".repeat(52)}… · R$\u00a049,90`);
  });

  test("the operator's welcome stands for itself, with the name in it; an empty one falls back to ours", () => {
    const say = (welcome: string, firstName: string | null) =>
      welcomeMessage("5", { welcome, offers: [], firstName }, "en").body.text;
    expect(say("Hi {name} & {name}!", "<b>Ana</b>")).toBe(
      "Hi &lt;b&gt;Ana&lt;/b&gt; &amp; &lt;b&gt;Ana&lt;/b&gt;!",
    );
    expect(say("Hi {name}!", "$&")).toBe("Hi $&amp;!");
    expect(say("{name}", null)).toBe("Hello! 👋");
  });

  test("a Pix code can be copied by a button, unless it is longer than a button takes", () => {
    const pix = (code: string) => pixMessage(code).body;
    const short = JSON.stringify(pix("0002<>&").reply_markup);
    expect(pix("0002<>&")).toMatchObject({
      caption: expect.stringContaining("<code>0002&lt;&gt;&amp;</code>"),
    });
    expect(short).toContain('"copy_text":{"text":"0002<>&"}');
    expect(short).toContain("https://pay.example.com/qr");
    expect(JSON.stringify(pix("0".repeat(256)).reply_markup)).toContain("copy_text");
    expect(JSON.stringify(pix("0".repeat(257)).reply_markup)).not.toContain("copy_text");
  });

  test("a Pix code is shown as its QR code, black on white, with room around it", () => {
    const code = `00020126580014br.gov.bcb.pix0136${"a1b2c3d4-".repeat(20)}5204000053039865802BR6304ABCD`;
    const message = pixMessage(code);
    if (message.method !== "sendPhoto") throw new Error("it is no photo");
    const expected = encode(code, { border: 4 }).data.map((row) => row.map(Number).join(""));
    expect(squaresOf(message.photo, 8)).toEqual(expected);
  });

  test("a code that no caption holds goes as text", () => {
    expect(pixMessage("0".repeat(1_000))).toMatchObject({ method: "sendMessage" });
  });

  test("a description that is too long is cut before its signs are escaped, not within one's escape", () => {
    const { text } = offerMessage("5", { ...offer, description: "&".repeat(5_000) }, "en").body;
    expect(text).toMatch(/^<b>Curso<\/b>\n\n(&amp;)+…\n\n/);
  });

  test("an invoice says its price in whole minor units, and holds no token", () => {
    const { method, body } = invoiceMessage("5", { ...offer, name: "N".repeat(60) }, "payment-id");
    expect(method).toBe("sendInvoice");
    expect(body).toMatchObject({ payload: "payment-id", currency: "BRL", prices: [{ amount: 4_990 }] });
    expect(body.title).toHaveLength(32);
    expect(Object.keys(body)).not.toContain("provider_token");
    // Telegram wants one.
    expect(invoiceMessage("5", { ...offer, description: " " }, "x").body.description).toBe("Curso");
  });

  test.each([
    [4_990, "BRL", "pt-BR", "R$\u00a049,90"],
    [500, "JPY", "en", "¥500"],
    [1_500, "KWD", "en", "KWD\u00a01.500"],
    [50, "XTR", "pt-BR", "⭐\u00a050"],
    [4_990, "BRL", null, "R$\u00a049,90"],
    [4_990, "BRL", "PT-br", "R$\u00a049,90"],
  ])("%d %s in %s is %s", (minor, currency, language, text) => {
    expect(formatMoney(minor, currency, chatLocale(language))).toBe(text);
  });

  test("whatever names, descriptions and languages say, Telegram takes the message", () => {
    const words = fc.oneof(
      fc.string({ minLength: 1, unit: "grapheme" }).filter((text) => text.trim() !== ""),
      fc.constantFrom("<b>", "&amp;", "</code>", "x".repeat(5_000), "🌉".repeat(3_000)),
    );
    const language = fc.option(fc.constantFrom("pt", "pt-br", "en", "de", "zh-hans"));
    const priceMinor = fc.integer({ min: 1, max: 10_000_000 });
    fc.assert(
      fc.property(
        words,
        words,
        fc.option(words),
        language,
        priceMinor,
        (name, description, firstName, lang, price) => {
          const sold = { ...offer, name, description, priceMinor: price };
          const pix = { kind: "pix" as const, code: description.slice(0, 500), url: null };
          const link = { kind: "link" as const, url: "https://pay.example.com/c" };
          for (const message of [
            welcomeMessage("5", { welcome: null, offers: [sold], firstName }, lang),
            welcomeMessage("5", { welcome: description, offers: [sold], firstName }, lang),
            offerMessage("5", sold, lang),
            checkoutMessage("5", { ...sold, name: name.slice(0, 500) }, link, lang),
            checkoutMessage("5", { ...sold, name: name.slice(0, 500) }, pix, lang),
            deliveryMessage("5", { name, delivery: description.slice(0, 3_000) }, lang),
            invoiceMessage("5", { ...sold, currency: "XTR" }, "0".repeat(32)),
          ]) {
            expect(refusal(message)).toBeNull();
          }
        },
      ),
    );
  });
});

describe("buttons", () => {
  /** Of the first button. */
  const dataOf = ({ body }: SendMessage): string | undefined => {
    const [button] = body.reply_markup?.inline_keyboard.flat() ?? [];
    return button && "callback_data" in button ? button.callback_data : undefined;
  };

  test("a button of ours is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (offerId) => {
        const sold = { ...offer, id: offerId };
        const greeting = welcomeMessage("5", { welcome: null, offers: [sold] }, "pt-BR");
        expect(readButton(dataOf(greeting))).toEqual({ kind: "offer", offerId });
        expect(readButton(dataOf(offerMessage("5", sold, "pt-BR")))).toEqual({ kind: "buy", offerId });
      }),
    );
  });

  test("anything else is no button of ours", () => {
    for (const data of [
      undefined,
      "",
      "offer:",
      "offer:0",
      "offer:-1",
      "offer:1 ",
      "buy:1.5",
      "BUY:1",
      "buy:1\n",
    ])
      expect(readButton(data)).toBeNull();
    fc.assert(
      fc.property(fc.string(), (data) => {
        const button = readButton(data);
        if (button) expect(`${button.kind}:${button.offerId}`).toBe(data);
      }),
    );
  });
});

test("escaped text is read by Telegram as what it was", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const back = escapeHtml(text).replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
      expect(back).toBe(text);
    }),
  );
});
