import { z } from "zod";
import { PAYMENT_STATUSES } from "../db/vocabulary.ts";
import { jsonSchemaOf } from "../platform/json-schema.ts";
import { genericWebhookSchema, registerSchema } from "./payment-input.ts";

/** What registering answers. */
export const registeredSchema = z.strictObject({ id: z.string(), status: z.enum(PAYMENT_STATUSES) });

/** What a webhook answers: the payment, and what became of the report. */
export const receivedSchema = z.union([
  z.strictObject({ id: z.string(), status: z.enum(["confirmed", "changed", "unchanged"]) }),
  z.strictObject({ status: z.literal("ignored") }),
]);

const problem = {
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};
const json = (schema: object) => ({ content: { "application/json": { schema } } });

/** The OpenAPI side of `POST /api/payments`, out of the very schema that it goes by. */
export function registerDetail() {
  const answer = json(jsonSchemaOf(registeredSchema, "output"));
  return {
    tags: ["Payments"],
    summary: "Register a payment",
    description:
      "Once for each provider and provider_ref. Say whose it is by tracking_token, or by bot and telegram_user_id. The customer's e-mail, phone and names are hashed before anything is stored.",
    security: [{ apiKey: [] }],
    requestBody: { required: true, ...json(jsonSchemaOf(registerSchema, "input")) },
    responses: {
      200: { description: "It was there already", ...answer },
      201: { description: "Registered", ...answer },
      400: { description: "The request is not understood; `errors` says where", ...problem },
      401: { description: "No API key, or an unknown one", ...problem },
      403: { description: "The API key may only read", ...problem },
      409: { description: "The reference belongs to a payment of another amount or currency", ...problem },
      413: { description: "The body is too large", ...problem },
      422: { description: "No bot has this username", ...problem },
      503: { description: "Nothing was stored; try again", ...problem },
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
    requestBody: { required: true, ...json(jsonSchemaOf(genericWebhookSchema, "input")) },
    responses: {
      200: { description: "Acted on, or nothing to do", ...json(jsonSchemaOf(receivedSchema, "output")) },
      400: { description: "The body is not understood; `errors` says where", ...problem },
      401: { description: "The signature was not accepted", ...problem },
      404: { description: "The provider is not configured, or nobody registered the payment", ...problem },
      413: { description: "The body is too large", ...problem },
      503: {
        description: "Nothing was stored, or the provider did not confirm it; send it again",
        ...problem,
      },
    },
  };
}
