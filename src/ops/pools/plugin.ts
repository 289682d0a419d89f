import { Elysia } from "elysia";
import { peerOf } from "../../platform/peer.ts";
import { seeOther } from "../answer.ts";
import type { OpsDeps } from "../deps.ts";
import { formFields } from "../form.ts";
import { opsGuard } from "../guard.ts";
import { askedPage } from "../params.ts";
import { changePools } from "./change.ts";
import { poolAt } from "./find.ts";
import { showPools } from "./show.ts";
import { tryPixels } from "./try-pixels.ts";

/** `/ops/pools`: the links that ads point to, their pixels, gates and bots. */
export function poolPages(deps: OpsDeps) {
  const show = showPools(deps);
  const change = changePools(deps, show);
  const pixels = tryPixels(deps, show);
  return (
    new Elysia({ name: "ops.pools" })
      .use(opsGuard(deps))
      .get("/ops/pools", ({ operator, query }) => show.list(operator, askedPage(query)))
      .get("/ops/pools/new", ({ operator }) => show.empty(operator))
      .post("/ops/pools/new", ({ operator, body }) => change.create(operator, formFields(body)))
      .get("/ops/pools/:id", async ({ operator, params }) =>
        show.one(operator, await poolAt(deps, operator, params.id)),
      )
      .post("/ops/pools/:id", async ({ operator, params, body }) =>
        change.update(operator, await poolAt(deps, operator, params.id), formFields(body)),
      )
      .post("/ops/pools/:id/remove", async ({ operator, params }) =>
        change.remove(operator, await poolAt(deps, operator, params.id)),
      )
      .post("/ops/pools/:id/check-pixel", ({ operator, params }) => pixels.check(operator, params.id))
      .post("/ops/pools/:id/test-event", ({ operator, params, body, request, server }) => {
        const peer = peerOf(request, server);
        return pixels.send(operator, params.id, formFields(body).text("test_event_code"), {
          userAgent: request.headers.get("user-agent"),
          clientIp: deps.clientAddress.find(peer, request.headers.get("x-forwarded-for")),
        });
      })
      // The addresses of those two answers, opened anew.
      .get("/ops/pools/:id/check-pixel", ({ params }) => toPool(params.id))
      .get("/ops/pools/:id/test-event", ({ params }) => toPool(params.id))
  );
}

function toPool(id: string): Response {
  return seeOther(`/ops/pools/${encodeURIComponent(id)}`);
}
