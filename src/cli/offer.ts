import { findBot } from "../bots/bot-view.ts";
import { formatMoney } from "../money/format.ts";
import { decimalToMinor, minorToDecimal } from "../money/minor-units.ts";
import { createOffer, deleteOffer, updateOffer } from "../offers/manage-offers.ts";
import { offerChangeSchema, offerDraftSchema } from "../offers/offer-rules.ts";
import { findOfferView, listOffers, type OfferView } from "../offers/offer-view.ts";
import { nobodyTakes } from "../offers/payable.ts";
import { priceFault } from "../offers/price-fault.ts";
import { noSuchBot } from "./bot.ts";
import { type Context, defineCommand, type Given, type Options, Refused, WrongUsage } from "./command.ts";
import { checked, type FlagOfField, idOf, issueLines, onlyGiven } from "./input.ts";
import { allPages } from "./pages.ts";
import { answer, record, table } from "./print.ts";
import { ACTOR, type Opened, withDatabase } from "./with-database.ts";

const OFFER_FLAGS = {
  name: { type: "string", value: "name", help: "as the button and the receipt say it" },
  description: { type: "string", value: "text", help: "what a tap on the offer shows" },
  price: { type: "string", value: "49.90", help: "in the currency, with a point; whole Stars for XTR" },
  currency: { type: "string", value: "BRL", help: "ISO 4217 code, or XTR for Telegram Stars" },
  provider: {
    type: "string",
    value: "name",
    help: "who takes the money: mercadopago, stripe, pushinpay, telegram (always for XTR)",
  },
  delivery: { type: "string", value: "text", help: "what the buyer receives: a text or a link" },
  position: { type: "string", value: "n", help: "its place among the bot's offers" },
  enabled: { type: "boolean", help: "--no-enabled: it is sold no more" },
} as const satisfies Options;

/** What an offer cannot be without. */
const NEEDED = ["bot", "name", "description", "price", "currency", "delivery"] as const;

const FLAG_OF_FIELD: FlagOfField = { price_minor: "price" };

export const offerAdd = defineCommand({
  name: "offer add",
  summary: "Make an offer of a bot",
  options: { bot: { type: "string", value: "username", help: "the bot that sells it" }, ...OFFER_FLAGS },
  examples: [
    "offer add --bot shop_bot --name Course --description 'All about bridges' --price 49.90 --currency BRL --provider mercadopago --delivery https://example.com/course",
    "offer add --bot shop_bot --name Song --description 'One song' --price 50 --currency XTR --delivery https://example.com/song",
  ],
  async run(given, _values, context) {
    const missing = NEEDED.filter((flag) => given[flag] === undefined);
    if (missing.length > 0) throw new WrongUsage(missing.map((flag) => `--${flag} is missing`).join("\n"));
    const input = { bot: given.bot, ...offerInput(given, given.currency ?? "") };
    const draft = checked(offerDraftSchema, input, FLAG_OF_FIELD);
    await withDatabase(context, async (opened) => {
      const result = await createOffer(opened, ACTOR, draft);
      switch (result.kind) {
        case "created":
          return printOffer(context, opened, result.offer, "Made");
        case "invalid":
          throw new Refused(issueLines(result.issues, FLAG_OF_FIELD));
      }
    });
  },
});

export const offerUpdate = defineCommand({
  name: "offer update",
  summary: "Change an offer; only what is named changes",
  takes: ["<id>"],
  options: OFFER_FLAGS,
  details: "Payments that were begun keep their price.",
  examples: ["offer update 7 --price 39.90", "offer update 7 --no-enabled"],
  async run(given, [text = ""], context) {
    const id = idOf(text);
    await withDatabase(context, async (opened) => {
      const { db } = opened;
      const known = await findOfferView(db, db.tables, id);
      if (known === null) throw noSuchOffer(id);
      const input = offerInput(given, given.currency ?? known.currency);
      if (Object.keys(input).length === 0) throw new WrongUsage("nothing to change was named");
      const change = checked(offerChangeSchema, input, FLAG_OF_FIELD);
      // The price was read in the currency that is known.
      const result = await updateOffer(opened, ACTOR, known, change);
      switch (result.kind) {
        case "updated":
          return printOffer(context, opened, result.offer, "Changed");
        case "unchanged":
          return printOffer(context, opened, result.offer, "Nothing to change in");
        case "overtaken":
          throw new Refused(
            `Nothing was changed: somebody else changed offer ${id} at the same time. See: bun run ponte offer list`,
          );
        case "not_found":
          throw noSuchOffer(id);
        case "invalid":
          throw new Refused(issueLines(result.issues, FLAG_OF_FIELD));
      }
    });
  },
});

export const offerList = defineCommand({
  name: "offer list",
  summary: "List the offers",
  options: { bot: { type: "string", value: "username", help: "of this bot only" } },
  async run(given, _values, context) {
    await withDatabase(context, async ({ db }) => {
      if (given.bot !== undefined && (await findBot(db, db.tables, given.bot)) === null) {
        throw noSuchBot(given.bot);
      }
      const offers = await allPages((page) => listOffers(db, db.tables, { ...page, bot: given.bot }));
      answer(context, offers, () =>
        offers.length === 0
          ? "No offer yet. Make one with: bun run ponte offer add --help"
          : table(offers, [
              { head: "ID", cell: ({ id }) => id },
              { head: "BOT", cell: ({ bot }) => `@${bot}` },
              { head: "NAME", cell: ({ name }) => name },
              { head: "PRICE", cell: price },
              { head: "PROVIDER", cell: ({ provider }) => provider },
              { head: "ENABLED", cell: ({ enabled }) => (enabled ? "yes" : "no") },
            ]),
      );
    });
  },
});

export const offerShow = defineCommand({
  name: "offer show",
  summary: "Show an offer, and why nobody can pay for it where that is so",
  takes: ["<id>"],
  options: {},
  async run(_given, [text = ""], context) {
    const id = idOf(text);
    await withDatabase(context, async (opened) => {
      const offer = await findOfferView(opened.db, opened.db.tables, id);
      if (offer === null) throw noSuchOffer(id);
      await printOffer(context, opened, offer, null);
    });
  },
});

export const offerRemove = defineCommand({
  name: "offer remove",
  summary: "Remove an offer that nobody looked at or bought",
  takes: ["<id>"],
  options: {},
  details: "Any other stays: turn it off with offer update --no-enabled. There is no undo.",
  async run(_given, [text = ""], context) {
    const id = idOf(text);
    await withDatabase(context, async (opened) => {
      const { kind } = await deleteOffer(opened, ACTOR, id);
      switch (kind) {
        case "deleted":
          return answer(context, { id, removed: true }, () => `Removed offer ${id}.`);
        case "not_found":
          throw noSuchOffer(id);
        case "in_use":
          throw new Refused(
            `Offer ${id} was not removed: somebody looked at it or bought it. Turn it off instead: bun run ponte offer update ${id} --no-enabled`,
          );
      }
    });
  },
});

/** The flags as the fields they stand for. */
function offerInput(
  { price, position, ...given }: Given<typeof OFFER_FLAGS>,
  currency: string,
): Record<string, unknown> {
  return onlyGiven({
    name: given.name,
    description: given.description,
    price_minor: price === undefined ? undefined : minorOf(price, currency.toUpperCase()),
    currency: given.currency,
    provider: given.provider,
    delivery: given.delivery,
    position: position === undefined ? undefined : Number(position || "NaN"),
    enabled: given.enabled,
  });
}

function minorOf(price: string, currency: string): number {
  const minor = priceFault(price, currency) === null ? decimalToMinor(price, currency) : null;
  if (minor === null) {
    const example = minorToDecimal(4_990, currency);
    throw new WrongUsage(
      example === null
        ? `--currency: "${currency}" is no ISO 4217 code, nor XTR`
        : `--price: "${price}" is no amount in ${currency}; write it as in ${example}`,
    );
  }
  return minor;
}

async function printOffer(
  context: Context,
  { db, config }: Opened,
  offer: OfferView,
  done: string | null,
): Promise<void> {
  const bot = await findBot(db, db.tables, offer.bot);
  const warning = bot && nobodyTakes(offer, bot, config.payments);
  answer(context, offer, () =>
    [
      ...(done === null ? [] : [`${done} offer ${offer.id}.`, ""]),
      record([
        ["Offer", offer.id],
        ["Bot", `@${offer.bot}`],
        ["Name", offer.name],
        ["Description", offer.description],
        ["Price", price(offer)],
        ["Provider", offer.provider],
        ["Delivery", offer.delivery],
        ["Position", offer.position],
        ["Enabled", offer.enabled ? "yes" : "no: it is sold no more"],
      ]),
    ].join("\n"),
  );
  if (warning) context.terminal.err(`\n${warning.why}. ${warning.todo}`);
}

function price({ price_minor, currency }: OfferView): string {
  return formatMoney(price_minor, currency, "en");
}

function noSuchOffer(id: number): Refused {
  return new Refused(`There is no offer ${id}. See: bun run ponte offer list`);
}
