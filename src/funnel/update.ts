import type { Update } from "grammy/types";
import { z } from "zod";
import { parseJson } from "../platform/json.ts";
import { type ProblemError, problemErrors } from "../platform/problem.ts";

type UpdateReading =
  | { readonly kind: "update"; readonly update: Update }
  | { readonly kind: "malformed"; readonly errors: readonly ProblemError[] };

const user = z.looseObject({
  id: z.int().positive(),
  first_name: z.string().optional(),
  username: z.string().optional(),
  language_code: z.string().optional(),
});
const chat = z.looseObject({ id: z.int(), type: z.string() });
const charge = z.looseObject({
  currency: z.string(),
  total_amount: z.int(),
  invoice_payload: z.string(),
  telegram_payment_charge_id: z.string(),
});
const message = z.looseObject({
  message_id: z.int(),
  chat,
  from: user.optional(),
  text: z.string().optional(),
  entities: z
    .array(z.looseObject({ type: z.string(), offset: z.int().nonnegative(), length: z.int().nonnegative() }))
    .optional(),
  successful_payment: charge.optional(),
  refunded_payment: charge.optional(),
});

/**
 * What the conversation reads of an update, held to the Bot API's forms; what it does not read may look like
 * anything, so that kinds which Telegram invents later pass by.
 */
const readParts = z.looseObject({
  update_id: z.int().nonnegative(),
  message: message.optional(),
  callback_query: z
    .looseObject({ id: z.string().min(1), from: user, data: z.string().optional() })
    .optional(),
  pre_checkout_query: z
    .looseObject({
      id: z.string().min(1),
      from: user,
      currency: z.string(),
      total_amount: z.int(),
      invoice_payload: z.string(),
    })
    .optional(),
  my_chat_member: z
    .looseObject({ chat, from: user, new_chat_member: z.looseObject({ status: z.string() }) })
    .optional(),
});

/** grammy's type, for what passes `readParts`. */
const update = z.custom<Update>().superRefine((value, refusal) => {
  const { error } = readParts.safeParse(value);
  for (const { message, path } of error?.issues ?? []) refusal.addIssue({ code: "custom", message, path });
});

/** Reads a webhook's body. Never throws. */
export function readUpdate(text: string): UpdateReading {
  const parsed = update.safeParse(parseJson(text));
  if (!parsed.success) return { kind: "malformed", errors: problemErrors(parsed.error.issues) };
  return { kind: "update", update: parsed.data };
}
