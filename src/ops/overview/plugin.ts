import { Elysia } from "elysia";
import { z } from "zod";
import { LiveOverview, OverviewPage } from "../../../views/ops/overview.tsx";
import { resumeRouteBy } from "../../audit/audited-routes.ts";
import { DESTINATIONS } from "../../db/vocabulary.ts";
import { type CountedFacts, type PresentFacts, readCounted, readPresent } from "../../overview/read-facts.ts";
import { createCache } from "../../platform/cache.ts";
import { oneLine } from "../../platform/parse-input.ts";
import { fragmentAnswer, insideOps } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { type Operator, opsGuard } from "../guard.ts";
import { doneAndSee } from "../note.ts";
import { opsPage } from "../page.ts";
import { overviewOf } from "./read-overview.ts";
import { readSpan } from "./span.ts";

/** However many look on, the same thing is read from the database no more often than this. */
const PRESENT_MS = 4_000;
/** The longer the span, the more there is to read and the less a moment changes. */
const COUNTED_MS = { minute: 4_000, hour: 30_000 } as const;

const routeSchema = z.object({
  destination: z.enum(DESTINATIONS),
  // As the API takes one.
  route: z.string().regex(...oneLine(200)),
});

/** `/ops`: whether money is being lost. */
export function overviewPages(deps: OpsDeps) {
  const { db, now, config } = deps;
  const present = createCache<PresentFacts>(PRESENT_MS);
  const counted = {
    minute: createCache<CountedFacts>(COUNTED_MS.minute),
    hour: createCache<CountedFacts>(COUNTED_MS.hour),
  };

  async function overview(operator: Operator, query: unknown) {
    const { zone, csrfToken } = operator.frame;
    const nowMs = now().getTime();
    const span = readSpan(query, zone, nowMs);
    const name = span.name === "custom" ? `${span.fromMs} ${span.toMs}` : span.name;
    const facts = {
      ...(await present("now", () => readPresent(db, config))),
      ...(await counted[span.unit](name, () => readCounted(db, span))),
    };
    return overviewOf(facts, span, { zone, csrfToken, nowMs });
  }

  return new Elysia({ name: "ops.overview" })
    .use(opsGuard(deps))
    .get("/ops", async ({ operator, query }) =>
      opsPage(operator, {
        title: "Overview",
        section: "overview",
        withCharts: true,
        children: OverviewPage({ overview: await overview(operator, query) }),
      }),
    )
    .get("/ops/live", async ({ operator, query }) =>
      fragmentAnswer(String(LiveOverview({ overview: await overview(operator, query) }))),
    )
    .post("/ops/routes/resume", async ({ operator, body }) => {
      const fields = formFields(body);
      const key = routeSchema.safeParse({
        destination: fields.text("destination"),
        route: fields.text("route"),
      });
      const back = insideOps(fields.text("back"));
      if (!key.success) return doneAndSee(operator, back, "Nothing was changed: that is no route.", "warn");
      const { destination, route } = key.data;
      const isResumed = await resumeRouteBy(deps, operator.actor, key.data);
      present.forget();
      return isResumed
        ? doneAndSee(operator, back, `${destination} ${route} may send again.`)
        : doneAndSee(operator, back, "Nothing held that route up any more.", "warn");
    });
}
