import { Elysia } from "elysia";
import { z } from "zod";
import type { Database } from "../db/database.ts";
import { problem } from "../platform/problem.ts";
import { timelineByToken } from "../tracking/timeline.ts";
import type { Authorize } from "./authorize.ts";
import { describeRoute } from "./describe.ts";
import { apiGuard } from "./guard.ts";

const params = z.object({
  token: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .meta({ examples: ["0193f2a5c1d27e3f8a4b5c6d7e8f9012"] }),
});

/** `GET /api/sessions/:token`: one visitor from click to delivery. */
export function sessionsApi(deps: { readonly db: Database; readonly authorize: Authorize }) {
  return new Elysia({ name: "api.sessions", prefix: "/api" })
    .use(apiGuard(deps))
    .get(
      "/sessions/:token",
      async ({ params }) =>
        (await timelineByToken(deps.db, params.token)) ??
        problem(404, { detail: "No visit has this tracking token." }),
      {
        params,
        detail: describeRoute("Visitors")(
          "Read a visitor's timeline",
          { 200: "Timeline", 404: null },
          "The session, the person, payments, outbox rows, and `steps`: what happened, in order, with the time between.",
        ),
      },
    );
}
