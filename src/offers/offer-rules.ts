import { z } from "zod";
import { username } from "../bots/bot-rules.ts";
import { isCurrency, TELEGRAM_STARS } from "../money/currencies.ts";
import { isAmountMinor } from "../money/minor-units.ts";
import { oneLine, severalLines, text } from "../platform/parse-input.ts";

/** The last place among a bot's offers. */
export const LARGEST_POSITION = 1_000_000;

const lines = (longest: number) =>
  text(severalLines(longest), `1 to ${longest} characters, none of them a control character`).transform(
    (given) => given.replaceAll("\r\n", "\n"),
  );

const provider = z
  .string()
  .regex(/^[a-z0-9_-]{1,40}$/, "1 to 40 lowercase letters, digits, hyphens or underscores")
  .meta({ examples: ["mercadopago"] })
  .describe("Who takes the money; `telegram` for Telegram Payments. Stars (XTR) are always Telegram's.");

/** A message of Telegram's takes 4096 characters, of which name, price and our own words need some. */
const fields = {
  name: text(...oneLine(100)).meta({ examples: ["Course"] }),
  description: lines(3_500).meta({ examples: ["Everything about bridges"] }),
  price_minor: z
    .number()
    .refine((n) => isAmountMinor(n) && n > 0, "a whole number of minor units (cents, or Stars), above 0")
    .meta({ examples: [4990] }),
  currency: z
    .string()
    .trim()
    .transform((code) => code.toUpperCase())
    .refine((code) => isCurrency(code) || code === TELEGRAM_STARS, "an ISO 4217 code such as BRL, or XTR")
    .meta({ examples: ["BRL"] }),
  delivery: lines(3_500)
    .meta({ examples: ["https://example.com/course"] })
    .describe("What the buyer receives: a text or a link."),
};
const settings = {
  position: z.int("0 to 1000000").min(0, "0 to 1000000").max(LARGEST_POSITION, "0 to 1000000").optional(),
  enabled: z.boolean().optional(),
};

/** A new offer of a bot. */
export const offerDraftSchema = z
  .strictObject({
    bot: username,
    ...fields,
    provider: provider.optional(),
    ...settings,
  })
  .meta({
    example: {
      bot: "shop_bot",
      name: "Course",
      description: "Everything about bridges",
      price_minor: 4990,
      currency: "BRL",
      provider: "mercadopago",
      delivery: "https://example.com/course",
    },
  });
export type OfferDraft = z.output<typeof offerDraftSchema>;

/** A change of an offer: only what is named changes. */
export const offerChangeSchema = z
  .strictObject({
    ...z.object(fields).partial().shape,
    provider: provider.optional(),
    ...settings,
  })
  .meta({ example: { price_minor: 3990, currency: "BRL" } });
export type OfferChange = z.output<typeof offerChangeSchema>;
