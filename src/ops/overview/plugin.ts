import { Elysia } from "elysia";
import { PageHead } from "../../../views/ops/parts.tsx";
import type { OpsDeps } from "../deps.ts";
import { opsGuard } from "../guard.ts";
import { opsPage } from "../page.ts";

/** `/ops`: whether money is being lost. */
export function overviewPages(deps: OpsDeps) {
  return new Elysia({ name: "ops.overview" }).use(opsGuard(deps)).get("/ops", ({ operator }) =>
    opsPage(operator, {
      title: "Overview",
      section: "overview",
      children: PageHead({ title: "Overview" }),
    }),
  );
}
