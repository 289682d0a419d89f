import { Elysia } from "elysia";
import { methodNotAllowed } from "../platform/problem.ts";
import { createVisitHandler, type VisitDeps } from "./visit.ts";

/** `GET /go/:slug`, the address that ads point to. Elysia answers `HEAD` through the same handler. */
export function redirectPlugin(deps: VisitDeps) {
  const visit = createVisitHandler(deps);
  return new Elysia({ name: "redirect" })
    .get("/go/:slug", ({ request, params, server }) =>
      visit(request, params.slug, () => server?.requestIP(request)?.address ?? null),
    )
    .all("/go/:slug", () => methodNotAllowed("GET, HEAD"));
}
