import { z } from "zod";
import type { OfferView } from "../../offers/offer-view.ts";
import { count, instant, text } from "./kinds.ts";

export const offerSchema: z.ZodType<OfferView> = z.strictObject({
  id: count,
  bot: text,
  name: text,
  description: text,
  price_minor: count,
  currency: text,
  provider: text,
  delivery: text,
  position: count,
  enabled: z.boolean(),
  created_at: instant,
  updated_at: instant,
});
