import { Elysia } from "elysia";
import { z } from "zod";
import type { Config } from "../config.ts";
import { type CountedFacts, type PresentFacts, readCounted, readPresent } from "../overview/read-facts.ts";
import { endOfThisMinute, LONGEST_MS, unitOf } from "../overview/time-range.ts";
import { createCache } from "../platform/cache.ts";
import { DAY_MS } from "../platform/durations.ts";
import { problem } from "../platform/problem.ts";
import { describeRoute } from "./describe.ts";
import { type ApiRouteDeps, apiGuard } from "./guard.ts";
import { FUNNEL_BY, overviewAnswer } from "./overview-answer.ts";
import { instant } from "./params.ts";

/** However many scripts ask, the same thing is read from the database no more often than this. */
const CACHED_MS = 4_000;

const describe = describeRoute("Reports");
const overviewQuery = z.strictObject({
  from: instant("Without it, 24 hours before the end"),
  to: instant("Up to this instant; without it, now", "2025-03-02T00:00:00Z"),
  by: z.enum(FUNNEL_BY).optional().describe("What the funnel's lines are; without it, pools"),
});

interface OverviewDeps extends ApiRouteDeps {
  readonly config: Pick<Config, "consentDenied" | "payments">;
}

/** `GET /api/overview`: whether money is being lost, for scripts; the same facts as the console's first page. */
export function overviewApi({ db, now, config, authorize }: OverviewDeps) {
  const present = createCache<PresentFacts>(CACHED_MS);
  const counted = createCache<CountedFacts>(CACHED_MS);
  return new Elysia({ name: "api.overview", prefix: "/api" }).use(apiGuard({ authorize })).get(
    "/overview",
    async ({ query: { from, to, by = "pool" } }) => {
      const nowMs = now().getTime();
      const toMs = to?.getTime() ?? endOfThisMinute(nowMs);
      const fromMs = from?.getTime() ?? toMs - DAY_MS;
      const fault = faultOf(fromMs, toMs);
      if (fault !== null)
        return problem(400, {
          detail: "There is no such span of time.",
          errors: [{ path: "from", message: fault }],
        });
      const range = { fromMs, toMs, unit: unitOf(fromMs, toMs, nowMs) };
      const facts = {
        ...(await present("now", () => readPresent(db, config))),
        ...(await counted(`${fromMs} ${toMs}`, () => readCounted(db, range))),
      };
      return overviewAnswer(facts, range, by);
    },
    {
      query: overviewQuery,
      detail: describe(
        "Tell whether money is being lost",
        { 200: "Overview" },
        "What waits, is dead or paused now; what was sent in the span; the funnel from click to delivery with rates and value. At most 92 days; deliveries by the minute up to a day, else by the hour.",
      ),
    },
  );
}

function faultOf(fromMs: number, toMs: number): string | null {
  if (toMs <= fromMs) return "must come before `to`";
  return toMs - fromMs > LONGEST_MS ? "must lie at most 92 days before `to`" : null;
}
