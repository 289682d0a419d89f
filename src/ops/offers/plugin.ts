import { Elysia } from "elysia";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { opsGuard } from "../guard.ts";
import { changeOffers } from "./change.ts";
import { offerAt, sellerAt } from "./find.ts";
import { showOffers } from "./show.ts";

/** `/ops/bots/<bot>/offers/new` and `/ops/offers/<offer>`: what a bot sells. Its list is on the bot's page. */
export function offerPages(deps: OpsDeps) {
  const show = showOffers(deps);
  const change = changeOffers(deps, show);
  return new Elysia({ name: "ops.offers" })
    .use(opsGuard(deps))
    .get("/ops/bots/:id/offers/new", async ({ operator, params }) =>
      show.empty(operator, await sellerAt(deps, operator, params.id)),
    )
    .post("/ops/bots/:id/offers/new", async ({ operator, params, body }) =>
      change.create(operator, await sellerAt(deps, operator, params.id), formFields(body)),
    )
    .get("/ops/offers/:id", async ({ operator, params }) =>
      show.one(operator, await offerAt(deps, operator, params.id)),
    )
    .post("/ops/offers/:id", async ({ operator, params, body }) =>
      change.update(operator, await offerAt(deps, operator, params.id), formFields(body)),
    )
    .post("/ops/offers/:id/remove", async ({ operator, params }) =>
      change.remove(operator, await offerAt(deps, operator, params.id)),
    );
}
