import { Elysia } from "elysia";
import { z } from "zod";
import { oneLine } from "../platform/parse-input.ts";
import { problem } from "../platform/problem.ts";
import { findVisitors } from "../tracking/find-visitors.ts";
import { timelineByPayment, timelineByToken } from "../tracking/timeline.ts";
import { describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";

const describe = describeRoute("Visitors");

/** Described, not checked: what nobody can have is not found like any other, in the route's own words. */
const key = z.string().meta({ pattern: "^[0-9a-f]{32}$", examples: ["0193f2a5c1d27e3f8a4b5c6d7e8f9012"] });
const params = z.object({ token: key });
const searchQuery = z.strictObject({
  q: z
    .string()
    .regex(...oneLine(200))
    .meta({ examples: ["purchase_0193f2a5c1d27e3f8a4b5c6d7e8f9012"] }),
});

/** Visitors from click to delivery: found by any key, by token, or by payment. */
export function sessionsApi(deps: Pick<ApiRouteDeps, "db" | "authorize">) {
  return new Elysia({ name: "api.sessions", prefix: "/api" })
    .use(apiGuard(deps))
    .get("/sessions", async ({ query }) => ({ items: await findVisitors(deps.db, query.q.trim()) }), {
      query: searchQuery,
      detail: describe(
        "Find visitors",
        { 200: "Timelines" },
        "By whatever is at hand, whole: a tracking token, a payment's id, an event_id of Meta or Telegram, or a Telegram user's number. A person who came more than once is there once for each visit.",
      ),
    })
    .get(
      "/payments/:id",
      async ({ params }) =>
        (await timelineByPayment(deps.db, params.id)) ??
        problem(404, { detail: "There is no such payment." }),
      {
        params: z.object({ id: key }),
        detail: describe(
          "Read a payment with its buyer's timeline",
          { 200: "Timeline", 404: null },
          "As `ponte payment show`: the visit that led to it, its Purchase and its delivery.",
        ),
      },
    )
    .get(
      "/sessions/:token",
      async ({ params }) =>
        (await timelineByToken(deps.db, params.token)) ??
        problem(404, { detail: "No visit has this tracking token." }),
      {
        params,
        detail: describe(
          "Read a visitor's timeline",
          { 200: "Timeline", 404: null },
          "The session, the person, payments, outbox rows, and `steps`: what happened, in order, with the time between.",
        ),
      },
    );
}
