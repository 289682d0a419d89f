import { ASKS_FOR_KEY, jsonAnswer, jsonBody, problemAnswers, REFUSALS } from "../platform/openapi.ts";
import { botStartSchema, startAnswerSchema } from "./bot-start.ts";

/** The OpenAPI side of `POST /api/bot/start`, out of the very schemas that it goes by. */
export function botStartDetail() {
  return {
    tags: ["Visitors"],
    summary: "Tell that somebody pressed /start in your own bot",
    description:
      "Links the person to the visit of `tracking_token` (what came after /start) and answers what is known of it. A token that is no visit's is an organic start. With `update_id`, the same update again changes nothing.",
    security: ASKS_FOR_KEY,
    requestBody: jsonBody(botStartSchema),
    responses: {
      200: jsonAnswer(
        "Nothing new: they had started with this visit before, or the update was told before",
        startAnswerSchema,
      ),
      201: jsonAnswer("Their first start with this visit", startAnswerSchema),
      ...problemAnswers({
        ...REFUSALS,
        422: "No bot has this username",
        503: "Nothing was stored; try again",
      }),
    },
  };
}
