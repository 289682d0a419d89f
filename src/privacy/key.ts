import { z } from "zod";
import { oneLine } from "../platform/parse-input.ts";
import type { PersonKey } from "./person.ts";

const id = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 lowercase hex digits")
  .optional();

const keyShape = {
  tracking_token: id,
  payment_id: id,
  customer: z
    .string()
    .trim()
    .regex(...oneLine(200))
    .optional()
    .describe("A Telegram user's id, or customer.id of your own shop's payments"),
};

/** Whose data to erase, by one of three keys. */
export const erasureSchema = z
  .strictObject({
    ...keyShape,
    dry_run: z.boolean().optional().describe("Only count."),
  })
  .refine(
    ({ tracking_token, payment_id, customer }) =>
      [tracking_token, payment_id, customer].filter((key) => key !== undefined).length === 1,
    "give one of tracking_token, payment_id and customer",
  )
  .meta({ example: { tracking_token: "0193f2a5c1d27e3f8a4b5c6d7e8f9012", dry_run: true } });

/** The key that was given. */
export function personKey(given: z.output<typeof erasureSchema>): PersonKey {
  const { tracking_token: token, payment_id: paymentId, customer } = given;
  if (token !== undefined) return { kind: "token", token };
  if (paymentId !== undefined) return { kind: "payment", paymentId };
  return { kind: "customer", customer: customer ?? "" };
}
