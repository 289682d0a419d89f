import { Elysia } from "elysia";
import { z } from "zod";
import { VisitorPage } from "../../../views/ops/visitor.tsx";
import { FoundPage, LatestPage } from "../../../views/ops/visitors.tsx";
import { PAGE_SIZE } from "../../platform/pagination.ts";
import { findVisitors } from "../../tracking/find-visitors.ts";
import { latestVisits } from "../../tracking/latest-visits.ts";
import { timelineByToken } from "../../tracking/timeline.ts";
import type { OpsDeps } from "../deps.ts";
import { opsGuard } from "../guard.ts";
import { notFound } from "../not-found.ts";
import { opsPage } from "../page.ts";
import { visitorFacts } from "./visitor-facts.ts";

const NO_VISIT = "No visit has this tracking token. Retention may have removed it.";

const text = z.string().trim().max(200).catch("").default("");
const querySchema = z.object({ q: text, before: text });

/** `/ops/visitors`: one visitor from click to delivery, found by whatever the operator holds in hand. */
export function visitorPages(deps: OpsDeps) {
  const { db } = deps;
  return new Elysia({ name: "ops.visitors" })
    .use(opsGuard(deps))
    .get("/ops/visitors", async ({ operator, query }) => {
      const { q, before } = querySchema.parse(query);
      const { zone } = operator.frame;
      if (q !== "") {
        const found = await findVisitors(db, q);
        return opsPage(operator, {
          title: "Visitors",
          section: "visitors",
          children: FoundPage({ found: found.map(visitorFacts), asked: q, zone }),
        });
      }
      const visits = await latestVisits(db, { limit: PAGE_SIZE + 1, before: before || null });
      const shown = visits.slice(0, PAGE_SIZE);
      const oldest = visits.length > PAGE_SIZE ? shown.at(-1)?.trackingToken : undefined;
      return opsPage(operator, {
        title: "Visitors",
        section: "visitors",
        children: LatestPage({ visits: shown, older: oldest ?? null, isFirst: before === "", zone }),
      });
    })
    .get("/ops/visitors/:token", async ({ operator, params }) => {
      const timeline = (await timelineByToken(db, params.token)) ?? notFound(operator, "visitors", NO_VISIT);
      return opsPage(operator, {
        title: "Visitor",
        section: "visitors",
        children: VisitorPage({ visitor: visitorFacts(timeline), zone: operator.frame.zone }),
      });
    });
}
