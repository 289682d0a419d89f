import { Elysia } from "elysia";
import { z } from "zod";
import { createApiKey, listApiKeys, revokeApiKey } from "../keys/api-keys.ts";
import { apiKeyDraftSchema, nameTaken } from "../keys/key-rules.ts";
import { problem } from "../platform/problem.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { idParams, pageOfQuery, pageQuery } from "./params.ts";

const describe = describeRoute("API keys");

/** `/api/keys`: keys for scripts, made and ended by a key that may write. */
export function keysApi(deps: ApiRouteDeps) {
  return new Elysia({ name: "api.keys", prefix: "/api" })
    .use(apiGuard(deps))
    .get("/keys", ({ query }) => listApiKeys(deps, pageOfQuery(query)), {
      query: z.strictObject(pageQuery),
      detail: describe("List API keys", { 200: "ApiKeyPage" }),
    })
    .post(
      "/keys",
      async ({ body, actor, status }) => {
        const result = await createApiKey(deps, actor, body);
        switch (result.kind) {
          case "created":
            return status(201, { ...result.view, key: result.key });
          case "name_taken":
            return problem(409, { detail: nameTaken(body.name) });
        }
      },
      {
        parse: "json",
        body: apiKeyDraftSchema,
        detail: describe(
          "Make an API key",
          { 201: "NewApiKey", 409: null, ...CHANGES },
          "The key itself is shown this once.",
        ),
      },
    )
    .delete(
      "/keys/:id",
      async ({ params, actor }) => {
        const result = await revokeApiKey(deps, actor, params.id);
        return result.kind === "revoked"
          ? result.key
          : problem(404, { detail: `There is no API key ${params.id}.` });
      },
      { params: idParams, detail: describe("Revoke an API key", { 200: "ApiKey", 404: null, ...CHANGES }) },
    );
}
