import { z } from "zod";
import type { Payment } from "./payment.ts";
import type { Checkout } from "./providers/adapter.ts";

const checkoutSchema = z.union([
  z.object({ kind: z.literal("link"), providerRef: z.string(), url: z.string() }),
  z.object({
    kind: z.literal("pix"),
    providerRef: z.string(),
    code: z.string(),
    url: z.string().nullable(),
  }),
]);

/** The checkout that the payment's provider has made, as it was kept; null before that. */
export function storedCheckout({ providerData }: Pick<Payment, "providerData">): Checkout | null {
  const parsed = checkoutSchema.safeParse(providerData?.checkout);
  return parsed.success ? parsed.data : null;
}
