import { z } from "zod";
import { username } from "../bots/bot-rules.ts";
import { LOCALES, STRATEGIES } from "../db/vocabulary.ts";
import { clearable, oneLine, text } from "../platform/parse-input.ts";

/** Needs no percent-encoding in a link (RFC 3986, unreserved), and has no meaning of its own to Ponte or Meta. */
const paramName = text(
  /^(?!fbclid$|utm_)[A-Za-z0-9._~-]{1,64}$/i,
  "1 to 64 letters, digits or . _ ~ -, and not fbclid or utm_*",
);

const WEIGHT_RULE = "a weight is a whole number from 1 to 1000";

const poolBot = z.strictObject({
  username,
  weight: z.int(WEIGHT_RULE).min(1, WEIGHT_RULE).max(1000, WEIGHT_RULE).optional(),
  enabled: z.boolean().optional(),
});

const poolBots = z
  .array(poolBot)
  .min(1, "a pool needs at least one bot")
  .max(100, "at most 100 bots")
  .refine(
    (bots) => new Set(bots.map((bot) => bot.username.toLowerCase())).size === bots.length,
    "the same bot is named twice",
  )
  .meta({ examples: [[{ username: "shop_bot", weight: 1 }]] });

/** A slug stands in links as it is. */
export const SLUG_FORM = /^[a-z0-9-]{1,64}$/;

const slug = text(SLUG_FORM, "1 to 64 lowercase letters, digits or hyphens").meta({
  examples: ["summer"],
});

/** Everything about a pool that may change. */
const poolFields = {
  name: text(...oneLine(100))
    .meta({ examples: ["Summer sale"] })
    .optional(),
  enabled: z.boolean().optional(),
  strategy: z.enum(STRATEGIES).optional(),
  locale: z.enum(LOCALES).nullable().optional().describe("The page's language; null follows the visitor's."),
  auto_continue_ms: z
    .int("500 to 60000")
    .min(500, "500 to 60000")
    .max(60_000, "500 to 60000")
    .nullable()
    .optional()
    .describe(
      "Milliseconds within which the page goes on to the bot by itself, as soon as the pixels have reported; null waits for the tap.",
    ),
  capture_params: z
    .array(paramName)
    .max(20, "at most 20 parameters")
    .optional()
    .describe("Query parameters kept besides the standard ones."),
  meta_tracking_enabled: z.boolean().optional(),
  meta_pixel_id: clearable(/^\d{1,20}$/, "up to 20 digits", "1234567890123456"),
  meta_access_token: clearable(
    /^[\x21-\x7e]{1,1024}$/,
    "up to 1024 characters without spaces",
    "EAABsbCS1iHgBA",
    {
      writeOnly: true,
    },
  ),
  meta_test_event_code: clearable(
    /^[A-Za-z0-9_-]{1,64}$/,
    "up to 64 letters, digits, hyphens or underscores, as in TEST12345",
    "TEST12345",
  ),
  meta_cloaker_enabled: z.boolean().optional().describe("Asks for the secret link parameter."),
  meta_cloaker_param_name: paramName.meta({ examples: ["grim"] }).optional(),
  meta_cloaker_param_value: clearable(
    /^[A-Za-z0-9._~-]{3,200}$/,
    "3 to 200 letters, digits or . _ ~ -",
    "k7Qx2",
  ),
  block_automated: z.boolean().optional().describe("Refuses self-declared automated clients."),
  utmify_pixel_id: clearable(
    /^[A-Za-z0-9_-]{1,64}$/,
    "up to 64 letters, digits, hyphens or underscores",
    "65f0c1d2e3a4b5c6d7e8f901",
  ),
  send_lead: z.boolean().optional(),
  send_initiate_checkout: z.boolean().optional(),
};

/** A new pool. What is left out takes its default; the gate is on as soon as it has a value. */
export const poolDraftSchema = z.strictObject({ slug, ...poolFields, bots: poolBots }).meta({
  example: {
    slug: "summer",
    name: "Summer sale",
    meta_pixel_id: "1234567890123456",
    meta_access_token: "EAAB0000000000000000",
    meta_cloaker_param_value: "k7Qx2",
    bots: [{ username: "shop_bot", weight: 1 }],
  },
});
export type PoolDraft = z.output<typeof poolDraftSchema>;

/** A change of a pool: only what is named changes, null (or "") clears, and `bots` is the whole new list. */
export const poolChangeSchema = z
  .strictObject({ ...poolFields, bots: poolBots.optional() })
  .meta({ example: { meta_test_event_code: "TEST12345", auto_continue_ms: 3_000 } });
export type PoolChange = z.output<typeof poolChangeSchema>;
