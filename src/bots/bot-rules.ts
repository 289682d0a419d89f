import { z } from "zod";
import { LOCALES } from "../db/vocabulary.ts";
import { clearable, severalLines, text } from "../platform/parse-input.ts";

/** What Telegram takes for a username, with or without `@`. */
export const USERNAME_FORM = /^@?[A-Za-z0-9_]{5,32}$/;

/** A bot's username, with or without `@`. */
export const username = text(USERNAME_FORM, "5 to 32 letters, digits or underscores, with or without @")
  .meta({ examples: ["shop_bot"] })
  .transform(withoutAt);

/** A username as Telegram has it, however it was given. */
export function withoutAt(username: string): string {
  return username.replace(/^@/, "");
}

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
    "284685063:TEST:NThlNTAyNjYx",
    { writeOnly: true },
  ),
  enabled: z.boolean().optional(),
  locale: z.enum(LOCALES).nullable().optional(),
  /** Telegram takes messages of up to 4096 characters. */
  welcome: clearable(
    severalLines(4_096),
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
