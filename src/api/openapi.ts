import { openapi } from "@elysiajs/openapi";
import { z } from "zod";
import { API_KEY_SCHEME } from "./describe.ts";
import { SCHEMAS } from "./schemas.ts";

/** `GET /openapi/json`: every route of the app that it is used in, out of the zod schemas. */
export function openapiPlugin({ version }: { readonly version: string }) {
  return openapi({
    // The pages that come with it load their scripts from another host; ours is in `reference.tsx`.
    provider: null,
    documentation: {
      info: {
        title: "Ponte",
        version,
        description:
          "From the ad's click to the Telegram bot, with every conversion reported once. Calls carry `Authorization: Bearer <key>`; errors are `application/problem+json`; lists come in pages, `next_cursor` asks for the next.",
      },
      components: {
        securitySchemes: { [API_KEY_SCHEME]: { type: "http", scheme: "bearer" } },
        // Through JSON: zod's types for a JSON schema and OpenAPI's do not know each other.
        schemas: JSON.parse(JSON.stringify(answerSchemas())),
      },
    },
    exclude: { paths: [/^\/ops/, /^\/assets/, "/", "/go/:slug"] },
  });
}

function answerSchemas() {
  return Object.fromEntries(Object.entries(SCHEMAS).map(([name, schema]) => [name, z.toJSONSchema(schema)]));
}
