import { z } from "zod";
import { LOCALES, STRATEGIES } from "../db/vocabulary.ts";
import { type ProblemError, problemErrors } from "../platform/problem.ts";

/** A form's, a flag's or a JSON body's text: outer spaces never count. */
const text = (pattern: RegExp, message: string) => z.string().trim().regex(pattern, message);

/** A text that can also be cleared: with null, or (from a form or a flag) with nothing. Reads as null then. */
const clearable = (pattern: RegExp, message: string, example: string, meta: object = {}) =>
  text(new RegExp(`^$|${pattern.source}`, pattern.flags), message)
    .meta({ examples: [example], ...meta })
    .nullable()
    .transform((value) => value || null)
    .optional();

/** Needs no percent-encoding in a link (RFC 3986, unreserved), and has no meaning of its own to Ponte or Meta. */
const paramName = text(
  /^(?!fbclid$|utm_)[A-Za-z0-9._~-]{1,64}$/i,
  "1 to 64 letters, digits or . _ ~ -, and not fbclid or utm_*",
);

/** A bot's username, with or without `@`. */
export const username = text(
  /^@?[A-Za-z0-9_]{5,32}$/,
  "5 to 32 letters, digits or underscores, with or without @",
)
  .meta({ examples: ["shop_bot"] })
  .transform((name) => name.replace(/^@/, ""));

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

const slug = text(/^[a-z0-9-]{1,64}$/, "1 to 64 lowercase letters, digits or hyphens").meta({
  examples: ["summer"],
});

/** Everything about a pool that may change. */
const poolFields = {
  name: text(/^[^\p{Cc}\p{Cs}]{1,100}$/u, "1 to 100 characters, none of them a control character")
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
  meta_access_token: clearable(/^[\x21-\x7e]{1,1024}$/, "up to 1024 characters without spaces", "EAAB…", {
    writeOnly: true,
  }),
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

const botFields = {
  token: clearable(
    /^\d{1,16}:[A-Za-z0-9_-]{1,128}$/,
    "the token as @BotFather gave it, such as 123456:ABC-DEF…",
    "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
    { writeOnly: true },
  ),
  payment_token: clearable(
    /^[\x21-\x7e]{1,256}$/,
    "the payment provider's token as @BotFather gave it",
    "284685063:TEST:NThlNTAy…",
    { writeOnly: true },
  ),
  enabled: z.boolean().optional(),
  locale: z.enum(LOCALES).nullable().optional(),
  /** Telegram takes messages of up to 4096 characters. */
  welcome: clearable(
    /^(?:[^\p{Cc}\p{Cs}]|[\r\n\t]){1,4096}$/u,
    "at most 4096 characters, none of them a control character",
    "Hello! Choose below.",
  ),
};

/** A new bot; without a token it is one that lives elsewhere. */
export const botDraftSchema = z
  .strictObject({ username, ...botFields })
  .meta({ example: { username: "shop_bot", welcome: "Hello! Choose below." } });
export type BotDraft = z.output<typeof botDraftSchema>;

/** A change of a bot: only what is named changes, null (or "") clears. */
export const botChangeSchema = z
  .strictObject(botFields)
  .meta({ example: { enabled: true, welcome: "Hello! Choose below." } });
export type BotChange = z.output<typeof botChangeSchema>;

/** One thing that is wrong with what was asked for; `path` is the field, as in `bots.0.weight`. */
export type Issue = ProblemError;

/** What was asked for is not done like this: each issue says why. */
export interface Invalid {
  readonly kind: "invalid";
  readonly issues: readonly Issue[];
}

/** The same of a single issue. */
export function invalid(path: string, message: string): Invalid {
  return { kind: "invalid", issues: [{ path, message }] };
}

export type Parsed<T> = { readonly kind: "valid"; readonly value: T } | Invalid;

/** Holds whatever came from outside (a body, flags, a form) to a schema. Never throws. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): Parsed<z.output<S>> {
  const parsed = schema.safeParse(input);
  return parsed.success
    ? { kind: "valid", value: parsed.data }
    : { kind: "invalid", issues: problemErrors(parsed.error.issues) };
}
