import type { InlineKeyboardButton, InlineKeyboardMarkup } from "grammy/types";
import { formatMoney } from "../money/format.ts";
import { escapeHtml, type SendMessage, sendMessage } from "./messages.ts";
import { qrPng } from "./qr-png.ts";
import type { WayToPay } from "./sale.ts";
import { chatLocale, type Texts, textsFor } from "./texts.ts";

/** A photo with its caption; uploaded, so that it goes as a form and not as JSON. */
export interface SendPhoto {
  readonly method: "sendPhoto";
  readonly body: {
    readonly chat_id: string;
    readonly caption: string;
    readonly parse_mode: "HTML";
    readonly reply_markup: InlineKeyboardMarkup;
  };
  readonly photo: Uint8Array<ArrayBuffer>;
}

/** Bot API: `copy_text` holds at most 256 characters. */
const LONGEST_COPY_TEXT = 256;
/** A caption has at most 1024 characters after its tags are taken out. https://core.telegram.org/bots/api#sendphoto */
const LONGEST_CAPTION = 1_024;

/** How to pay: a button with the provider's page, or Pix's QR code with the same to copy and paste. */
export function checkoutMessage(
  chatId: string,
  offer: { readonly name: string; readonly priceMinor: number; readonly currency: string },
  way: WayToPay,
  language: string | null,
): SendMessage | SendPhoto {
  const texts = textsFor(language);
  const price = formatMoney(offer.priceMinor, offer.currency, chatLocale(language));
  const title = `<b>${escapeHtml(offer.name)}</b> · ${escapeHtml(price)}`;
  switch (way.kind) {
    case "link":
      return sendMessage(chatId, [title], [[{ text: texts.payHere, url: way.url }]]);
    case "pix":
      return pixMessage(chatId, title, way, texts);
  }
}

function pixMessage(
  chatId: string,
  title: string,
  { code, url }: Extract<WayToPay, { kind: "pix" }>,
  texts: Texts,
): SendMessage | SendPhoto {
  const paragraphs = [title, texts.payWithPix, `<code>${escapeHtml(code)}</code>`, texts.pixHint];
  const buttons: InlineKeyboardButton[][] = [
    ...(code.length <= LONGEST_COPY_TEXT ? [[{ text: texts.copyPixCode, copy_text: { text: code } }]] : []),
    ...(url === null ? [] : [[{ text: texts.showQrCode, url }]]),
  ];
  const message = sendMessage(chatId, paragraphs, buttons);
  const { text: caption } = message.body;
  // Tags and escapes count here and not at Telegram: the text alone is the safe choice. No bank makes codes this long.
  if (caption.length > LONGEST_CAPTION) return message;
  return {
    method: "sendPhoto",
    body: { chat_id: chatId, caption, parse_mode: "HTML", reply_markup: { inline_keyboard: buttons } },
    photo: qrPng(code),
  };
}

/** To somebody who tapped "buy" on what cannot be paid. */
export function unpayableMessage(chatId: string, language: string | null): SendMessage {
  return sendMessage(chatId, [textsFor(language).unpayable], []);
}
