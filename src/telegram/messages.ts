import type { InlineKeyboardButton, InlineKeyboardMarkup } from "grammy/types";
import { formatMoney } from "../money/format.ts";
import { chatLocale, textsFor } from "./texts.ts";

/** A message as the outbox carries it to the Bot API. */
export type OutgoingMessage = SendMessage | SendInvoice;

export interface SendMessage {
  readonly method: "sendMessage";
  readonly body: {
    readonly chat_id: string;
    readonly text: string;
    readonly parse_mode: "HTML";
    readonly link_preview_options: { readonly is_disabled: true };
    readonly reply_markup?: InlineKeyboardMarkup;
  };
}

interface SendInvoice {
  readonly method: "sendInvoice";
  readonly body: {
    readonly chat_id: string;
    readonly title: string;
    readonly description: string;
    readonly payload: string;
    readonly currency: string;
    readonly prices: readonly [{ readonly label: string; readonly amount: number }];
  };
}

interface OfferForSale {
  readonly id: number;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
}

/** A message has at most 4096 characters after its tags are taken out. https://core.telegram.org/bots/api#sendmessage */
const LONGEST_MESSAGE = 4_096;
const LONGEST_NAME = 100;
/** Leaves room for an offer's name and price. */
const LONGEST_DESCRIPTION = LONGEST_MESSAGE - 300;
/** Leaves room for the line that invites to choose. */
const LONGEST_GREETING = LONGEST_MESSAGE - 200;
/** What a chat shows in a button on a phone; Telegram itself names no limit. */
const LONGEST_BUTTON = 64;
/** https://core.telegram.org/bots/api#sendinvoice */
const LONGEST_INVOICE = { title: 32, description: 255 } as const;
/** Bot API: a keyboard has at most 100 buttons. */
const MOST_OFFERS = 50;

/**
 * The answer to /start: the operator's words (`{name}` stands for the person's first name) or ours, and a button
 * for each offer.
 */
export function welcomeMessage(
  chatId: string,
  bot: {
    readonly welcome: string | null;
    readonly offers: readonly OfferForSale[];
    readonly firstName?: string | null;
  },
  language: string | null,
): SendMessage {
  const texts = textsFor(language);
  const firstName = shortened(bot.firstName?.trim() ?? "", LONGEST_NAME) || null;
  const own = bot.welcome?.replaceAll("{name}", () => firstName ?? "").trim();
  const greeting = own ? shortened(own, LONGEST_GREETING) : texts.welcome(firstName);
  const invitation = bot.offers.length > 0 ? texts.chooseOffer : bot.welcome === null ? texts.noOffers : "";
  const buttons = bot.offers.slice(0, MOST_OFFERS).map((offer) => {
    const price = ` · ${formatMoney(offer.priceMinor, offer.currency, chatLocale(language))}`;
    const text = shortened(offer.name, LONGEST_BUTTON - price.length) + price;
    return [{ text, callback_data: offerData(offer.id) }];
  });
  return sendMessage(chatId, [escapeHtml(greeting), invitation], buttons);
}

/** An offer, described, with its button to buy. */
export function offerMessage(
  chatId: string,
  offer: OfferForSale & { readonly description: string },
  language: string | null,
): SendMessage {
  const price = formatMoney(offer.priceMinor, offer.currency, chatLocale(language));
  return sendMessage(
    chatId,
    [
      `<b>${escapeHtml(shortened(offer.name, 200))}</b>`,
      escapeHtml(shortened(offer.description, LONGEST_DESCRIPTION)),
      `<b>${escapeHtml(price)}</b>`,
    ],
    [[{ text: textsFor(language).buy(price), callback_data: buyData(offer.id) }]],
  );
}

/**
 * An invoice of Telegram Payments: in Stars (`XTR`), or in money, whose provider's token is put in when it is sent
 * because no outbox row may hold it. `payload` comes back with the payment (1 to 128 bytes). Telegram counts money
 * in the same minor units as ISO 4217, Stars in whole stars.
 */
export function invoiceMessage(
  chatId: string,
  offer: OfferForSale & { readonly description: string },
  payload: string,
): SendInvoice {
  const title = shortened(offer.name, LONGEST_INVOICE.title);
  return {
    method: "sendInvoice",
    body: {
      chat_id: chatId,
      title,
      description: shortened(offer.description.trim() || offer.name, LONGEST_INVOICE.description),
      payload,
      currency: offer.currency,
      prices: [{ label: title, amount: offer.priceMinor }],
    },
  };
}

/**
 * What was bought. A link stands in the text and not in a button: Telegram refuses a whole message over a
 * button's address, and makes addresses in a text tappable by itself.
 */
export function deliveryMessage(
  chatId: string,
  offer: { readonly name: string; readonly delivery: string },
  language: string | null,
): SendMessage {
  const texts = textsFor(language);
  return sendMessage(
    chatId,
    [
      `${texts.paid} <b>${escapeHtml(shortened(offer.name, 200))}</b>`,
      texts.delivery,
      escapeHtml(offer.delivery),
    ],
    [],
  );
}

/** What the button of an offer carries; `readButton` reads it back. */
function offerData(offerId: number): string {
  return `offer:${offerId}`;
}

/** The same of the button to buy. */
function buyData(offerId: number): string {
  return `buy:${offerId}`;
}

/** Which button was pressed; null for data that no button of ours carries. */
export function readButton(
  data: string | undefined,
): { readonly kind: "offer" | "buy"; readonly offerId: number } | null {
  const [, kind, digits] = /^(offer|buy):([1-9]\d{0,14})$/.exec(data ?? "") ?? [];
  if (kind !== "offer" && kind !== "buy") return null;
  return { kind, offerId: Number(digits) };
}

/** Telegram's HTML knows three special characters outside attributes. Source: Bot API, "HTML style". */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A message of paragraphs in Telegram's HTML; empty ones are left out. */
export function sendMessage(
  chatId: string,
  paragraphs: readonly string[],
  buttons: readonly InlineKeyboardButton[][],
): SendMessage {
  return {
    method: "sendMessage",
    body: {
      chat_id: chatId,
      text: paragraphs.filter((paragraph) => paragraph !== "").join("\n\n"),
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
      ...(buttons.length > 0 && { reply_markup: { inline_keyboard: [...buttons] } }),
    },
  };
}

/** Cuts by whole characters, so that no emoji is torn. */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length > longest - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
