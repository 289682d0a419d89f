import { z } from "zod";
import type { BotView } from "../../bots/bot-view.ts";
import type { WebhookState } from "../../bots/connect-bot.ts";
import { LOCALES } from "../../db/vocabulary.ts";
import { count, instant, maybe, text } from "./kinds.ts";

const botShape = {
  id: count,
  username: text,
  telegram_id: maybe,
  has_token: z.boolean(),
  has_payment_token: z.boolean(),
  enabled: z.boolean(),
  healthy: z.boolean(),
  health_reason: maybe,
  locale: z.enum(LOCALES).nullable(),
  welcome: maybe,
  pools: z.array(text),
  created_at: instant,
  updated_at: instant,
};
export const botSchema: z.ZodType<BotView> = z.strictObject(botShape);

export const webhookSchema: z.ZodType<WebhookState> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("set"), url: text }),
  z.strictObject({ kind: z.literal("as_before") }),
  z.strictObject({ kind: z.literal("no_token") }),
  z.strictObject({ kind: z.literal("no_public_url") }),
  z.strictObject({ kind: z.literal("failed"), reason: text }),
  z.strictObject({ kind: z.literal("still_set"), reason: text }),
]);

export const botWithWebhookSchema = z.strictObject({ ...botShape, webhook: webhookSchema });
