import { jsonSchemaOf } from "../platform/json-schema.ts";
import { botStartSchema, startAnswerSchema } from "./bot-start.ts";

/** The OpenAPI side of `POST /api/bot/start`, out of the very schemas that it goes by. */
export function botStartDetail() {
  const json = (schema: object) => ({ content: { "application/json": { schema } } });
  const answer = json(jsonSchemaOf(startAnswerSchema, "output"));
  const problem = {
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  return {
    tags: ["Visitors"],
    summary: "Tell that somebody pressed /start in your own bot",
    description:
      "Links the person to the visit of `tracking_token` (what came after /start) and answers what is known of it. A token that is no visit's is an organic start. With `update_id`, the same update again changes nothing.",
    security: [{ apiKey: [] }],
    requestBody: { required: true, ...json(jsonSchemaOf(botStartSchema, "input")) },
    responses: {
      200: { description: "They had started with this visit before", ...answer },
      201: { description: "Their first start with this visit", ...answer },
      400: { description: "The request is not understood; `errors` says where", ...problem },
      401: { description: "No API key, or an unknown one", ...problem },
      403: { description: "The API key may only read", ...problem },
      413: { description: "The body is too large", ...problem },
      422: { description: "No bot has this username", ...problem },
      503: { description: "Nothing was stored; try again", ...problem },
    },
  };
}
