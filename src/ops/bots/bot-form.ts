import type { BotFields } from "../../../views/ops/bot-data.ts";
import type { BotView } from "../../bots/bot-view.ts";
import type { FormFields } from "../form.ts";

/** The form of a bot that is not there yet. */
export const EMPTY_BOT: BotFields = {
  username: "",
  enabled: true,
  locale: "",
  welcome: "",
  removes_token: false,
  removes_payment_token: false,
};

/** The form of a bot as it is. */
export function botFieldsOf(bot: BotView): BotFields {
  return {
    ...EMPTY_BOT,
    username: bot.username,
    enabled: bot.enabled,
    locale: bot.locale ?? "",
    welcome: bot.welcome ?? "",
  };
}

/** The form as it was sent. */
export function readBotForm(form: FormFields): BotFields {
  return {
    username: form.text("username"),
    enabled: form.has("enabled"),
    locale: form.text("locale"),
    welcome: form.lines("welcome"),
    removes_token: form.has("removes_token"),
    removes_payment_token: form.has("removes_payment_token"),
  };
}

/**
 * What the bot rules (`botDraftSchema`, `botChangeSchema`) are asked to take. A token that was not typed is left out:
 * it stays as it is.
 */
export function botInputOf(fields: BotFields, form: FormFields): Record<string, unknown> {
  const token = form.text("token");
  const paymentToken = form.text("payment_token");
  return {
    enabled: fields.enabled,
    locale: fields.locale === "" ? null : fields.locale,
    welcome: fields.welcome,
    ...(fields.removes_token && { token: null }),
    ...(token !== "" && { token }),
    ...(fields.removes_payment_token && { payment_token: null }),
    ...(paymentToken !== "" && { payment_token: paymentToken }),
  };
}
