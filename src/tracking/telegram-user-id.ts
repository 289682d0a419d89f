import { z } from "zod";

/** As Telegram writes it: one with zeros before it would be somebody else, whom no update ever names. */
const TELEGRAM_USER_ID = /^[1-9]\d{0,19}$/;

/** Whether the text can be the id of a Telegram user. */
export function isTelegramUserId(text: string): boolean {
  return TELEGRAM_USER_ID.test(text);
}

const RULE = "must be a Telegram user's id, such as 123456789";

/** A Telegram user's id as JSON brings it, a text or a number; comes out as the text. */
export const telegramUserIdSchema = z.union(
  [z.string().regex(TELEGRAM_USER_ID, RULE), z.int().positive().transform(String)],
  RULE,
);
