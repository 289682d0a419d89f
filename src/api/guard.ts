import { Elysia } from "elysia";
import type { Database } from "../db/database.ts";
import { readBody } from "../platform/body.ts";
import { parseJson } from "../platform/json.ts";
import { NO_BODY, NOT_JSON, RefusedRequest } from "../platform/refusal.ts";
import type { Authorize } from "./authorize.ts";

/** What every route of the API works with. */
export interface ApiRouteDeps {
  readonly db: Database;
  readonly now: () => Date;
  readonly authorize: Authorize;
}

const MAX_BODY_BYTES = 64 * 1024;

/**
 * What every operators' route has in common: the key is checked (reading for GET, writing for the rest) before anything
 * else is looked at, but for how large the body is; bodies are small JSON, and what is wrong is said as a problem.
 * Handlers get `actor` and the key's `scope`.
 * A route with a body says `parse: "json"`: the guard has read it by then, but the OpenAPI document shows it by that.
 */
export function apiGuard({ authorize }: Pick<ApiRouteDeps, "authorize">) {
  return new Elysia({ name: "api.guard" })
    .onParse({ as: "scoped" }, async ({ request }) => {
      const body = await readBody(request, MAX_BODY_BYTES);
      if (body.kind === "refused") throw new RefusedRequest(body.response);
      if (body.text === "") return NO_BODY;
      const json = parseJson(body.text);
      // Not refused here: the key is looked at first, then the body's schema does it.
      return json === undefined ? NOT_JSON : json;
    })
    .derive({ as: "scoped" }, async ({ request, set }) => {
      const isReading = request.method === "GET" || request.method === "HEAD";
      const authorization = await authorize(request, isReading ? "read" : "write");
      if (authorization.kind === "refused") throw new RefusedRequest(() => authorization.response);
      set.headers["cache-control"] = "no-store";
      return { actor: authorization.actor, scope: authorization.scope };
    });
}
