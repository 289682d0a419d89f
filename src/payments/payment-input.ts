import { z } from "zod";
import { isCurrency, TELEGRAM_STARS } from "../money/currencies.ts";
import { isAmountMinor } from "../money/minor-units.ts";
import { wellFormed } from "../platform/parse-input.ts";
import { telegramUserIdSchema } from "../tracking/telegram-user-id.ts";
import { isTrackingToken } from "../tracking/tracking-token.ts";

const amountMinorSchema = z
  .number()
  .refine((n) => isAmountMinor(n) && n > 0, "must be a whole number of minor units (cents), above 0");

const CURRENCY_RULE = "must be an ISO 4217 code such as BRL";

const currencySchema = z
  .string()
  // Other letters become ASCII's, and more of them, as capitals: ınr, ßp.
  .regex(/^[A-Za-z]{3}$/, CURRENCY_RULE)
  .transform((code) => code.toUpperCase())
  .refine((code) => isCurrency(code) || code === TELEGRAM_STARS, CURRENCY_RULE);

const trackingTokenSchema = z.string().refine(isTrackingToken, "must be 32 lowercase hex digits");

const short = wellFormed.trim().min(1).max(200);

/** How a provider names a payment. */
export const providerRefSchema = short;

const customerSchema = z.strictObject({
  id: short
    .describe("Yours. One that reads as an e-mail address, a phone or tax number is kept as its digest.")
    .optional(),
  email: short.optional(),
  phone: short.optional(),
  first_name: short.optional(),
  last_name: short.optional(),
});

const MOST_IDS = 100;

const contentSchema = z.strictObject({
  ids: z.array(short).max(MOST_IDS).optional(),
  name: short.optional(),
  type: short.optional(),
});

const buyerFields = {
  tracking_token: trackingTokenSchema.optional().meta({ examples: ["0193f2a5c1d27e3f8a4b5c6d7e8f9012"] }),
  bot: short.optional().meta({ examples: ["my_shop_bot"] }),
  telegram_user_id: telegramUserIdSchema.optional(),
  customer: customerSchema.optional(),
  content: contentSchema.optional(),
};

/** What is said to be older is no time but a mistake, such as seconds taken for milliseconds, or the year 0. */
const saleInstant = z.iso
  .datetime({ offset: true, error: "an instant such as 2025-03-01T12:00:00Z" })
  .refine((text) => !(new Date(text).getUTCFullYear() < 2000), "must lie after the year 1999")
  .describe("When the sale was made: after the year 1999, and counted as now where it lies ahead.");

/** `POST /api/payments`: a payment that somebody is about to make. */
export const registerSchema = z
  .strictObject({
    provider: z.string().regex(/^[a-z0-9_-]{1,40}$/, "must be 1 to 40 lowercase letters, digits, - or _"),
    provider_ref: providerRefSchema.meta({ examples: ["order-1001"] }),
    amount_minor: amountMinorSchema.meta({ examples: [4990] }),
    currency: currencySchema,
    created_at: saleInstant.optional(),
    ...buyerFields,
  })
  .refine((input) => (input.bot === undefined) === (input.telegram_user_id === undefined), {
    message: "bot and telegram_user_id come together",
    path: ["bot"],
  })
  .meta({
    example: {
      provider: "generic",
      provider_ref: "order-1001",
      tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012",
      amount_minor: 4990,
      currency: "BRL",
      customer: { id: "customer-17", email: "ana@example.com", phone: "+5511987654321" },
      content: { ids: ["course-1"], name: "Course", type: "product" },
    },
  });

export type RegisterInput = z.output<typeof registerSchema>;

/** What is said of a payment besides its reference and its money: whose it is, and what for. */
export type PaymentDetails = Pick<
  RegisterInput,
  "tracking_token" | "bot" | "telegram_user_id" | "customer" | "content"
>;

/** A detail that is empty, or not what it should be, is left out. */
const ifUsable = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const textOrNumber = z.union([short, z.int().transform(String)]);

/**
 * What the `generic` provider's webhook may carry besides reference and status. It tells of money that has arrived: only
 * which payment that is and how much may be a reason to refuse it.
 */
export const genericWebhookSchema = z
  .looseObject({
    provider_ref: providerRefSchema,
    status: z.enum(["paid", "refunded", "expired", "chargeback"]),
    amount_minor: amountMinorSchema.nullish().transform((amount) => amount ?? undefined),
    currency: currencySchema.nullish().transform((currency) => currency ?? undefined),
    created_at: ifUsable(registerSchema.shape.created_at),
    tracking_token: ifUsable(buyerFields.tracking_token),
    bot: ifUsable(buyerFields.bot),
    telegram_user_id: ifUsable(buyerFields.telegram_user_id),
    customer: ifUsable(
      z.object({
        id: ifUsable(textOrNumber),
        email: ifUsable(short),
        phone: ifUsable(textOrNumber),
        first_name: ifUsable(short),
        last_name: ifUsable(short),
      }),
    ),
    content: ifUsable(
      z.object({
        ids: ifUsable(z.array(ifUsable(textOrNumber)).transform(usableIds)),
        name: ifUsable(short),
        type: ifUsable(short),
      }),
    ),
  })
  .meta({ example: { provider_ref: "order-1001", status: "paid", amount_minor: 4990, currency: "BRL" } });

function usableIds(ids: readonly (string | undefined)[]): string[] {
  return ids.filter((id) => id !== undefined).slice(0, MOST_IDS);
}
