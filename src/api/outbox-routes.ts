import { Elysia } from "elysia";
import { z } from "zod";
import { pauseRouteBy, resumeRouteBy } from "../audit/audited-routes.ts";
import { DESTINATIONS } from "../db/vocabulary.ts";
import { readOutboxState } from "../outbox/status.ts";
import { oneLine } from "../platform/parse-input.ts";
import { problem } from "../platform/problem.ts";
import { CHANGES, describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { ROUTE_MEANS } from "./outbox-filter.ts";

const describe = describeRoute("Outbox");
const line = z.string().regex(...oneLine(200));

const routeShape = {
  destination: z.enum(DESTINATIONS),
  route: line.meta({
    description: ROUTE_MEANS,
    examples: ["1234567890123456"],
  }),
};
const pauseBody = z.strictObject({
  ...routeShape,
  reason: line.meta({ examples: ["campaign on hold"] }).optional(),
});

const statusQuery = z.strictObject({
  delivered: z
    .enum(["true", "false"])
    .optional()
    .describe("false leaves out delivered events: quick on tables of any size"),
});

/** `/api/outbox/status` and the routes: what is held up, and holding up or letting go. */
export function outboxRoutesApi(deps: ApiRouteDeps) {
  const { db } = deps;
  return new Elysia({ name: "api.outbox.routes", prefix: "/api/outbox" })
    .use(apiGuard(deps))
    .get("/status", ({ query }) => readOutboxState(db, { delivered: query.delivered !== "false" }), {
      query: statusQuery,
      detail: describe("Count events by pool, kind and status, with the routes that are held up", {
        200: "OutboxStatus",
      }),
    })
    .post(
      "/routes/pause",
      async ({ body: { destination, route, reason = "paused by the operator" }, actor }) => {
        const isPaused = await pauseRouteBy(deps, actor, { destination, route }, reason);
        return isPaused
          ? { destination, route, paused: true }
          : problem(404, { detail: `No pixel, bot or waiting event has the ${destination} route ${route}.` });
      },
      {
        parse: "json",
        body: pauseBody,
        detail: describe("Hold a route's events back", { 200: "RouteChanged", 404: null, ...CHANGES }),
      },
    )
    .post(
      "/routes/resume",
      async ({ body: { destination, route }, actor }) => {
        const isResumed = await resumeRouteBy(deps, actor, { destination, route });
        return isResumed
          ? { destination, route, paused: false }
          : problem(404, { detail: `Nothing holds ${destination} route ${route} up.` });
      },
      {
        parse: "json",
        body: z.strictObject(routeShape),
        detail: describe("Let a route's events go again", { 200: "RouteChanged", 404: null, ...CHANGES }),
      },
    );
}
