import { z } from "zod";
import { PAYMENT_STATUSES } from "../db/vocabulary.ts";
import { ASKS_FOR_KEY, jsonAnswer, jsonBody, problemAnswers, REFUSALS } from "../platform/openapi.ts";
import { genericWebhookSchema, registerSchema } from "./payment-input.ts";

/** What registering answers. */
const registeredSchema = z.strictObject({ id: z.string(), status: z.enum(PAYMENT_STATUSES) });

/** What a webhook answers: the payment, and what became of the report. */
const receivedSchema = z.union([
  z.strictObject({ id: z.string(), status: z.enum(["confirmed", "changed", "unchanged"]) }),
  z.strictObject({ status: z.literal("ignored") }),
]);

/** The OpenAPI side of `POST /api/payments`, out of the very schema that it goes by. */
export function registerDetail() {
  return {
    tags: ["Payments"],
    summary: "Register a payment",
    description:
      "Once for each provider and provider_ref. Say whose it is by tracking_token, or by bot and telegram_user_id. The customer's e-mail, phone and names are hashed before anything is stored. A provider that is not set up is registered all the same; until its secret is set, its webhooks are refused (404) and nothing confirms the payment.",
    security: ASKS_FOR_KEY,
    requestBody: jsonBody(registerSchema),
    responses: {
      200: jsonAnswer("It was there already", registeredSchema),
      201: jsonAnswer("Registered", registeredSchema),
      ...problemAnswers({
        ...REFUSALS,
        409: "The reference belongs to a payment of another amount or currency",
        422: "No bot has this username",
        503: "Nothing was stored; try again",
      }),
    },
  };
}

/** The OpenAPI side of the webhooks; the body shown is the `generic` provider's, the others write their own. */
export function webhookDetail() {
  return {
    tags: ["Payments"],
    summary: "A provider's webhook",
    description:
      "Signed by the provider; repeated, concurrent and reordered ones act once. The body is the provider's own; shown is that of `generic`, signed as X-Ponte-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of t.rawbody>. With amount and currency it registers and confirms at once.",
    requestBody: jsonBody(genericWebhookSchema),
    responses: {
      200: jsonAnswer("Acted on, or nothing to do", receivedSchema),
      ...problemAnswers({
        400: "The body is not understood; `errors` says where",
        401: "The signature was not accepted",
        404: "The provider is not set up, or nobody registered the payment",
        413: REFUSALS[413],
        503: "Nothing was stored, or the provider did not confirm it; send it again",
      }),
    },
  };
}
