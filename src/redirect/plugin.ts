import { Elysia } from "elysia";
import { peerOf } from "../platform/peer.ts";
import { pageLocale } from "./locale.ts";
import { notFoundPage } from "./pages.ts";
import { createVisitHandler, type VisitDeps } from "./visit.ts";

const missing = ({ headers }: Request) => notFoundPage(pageLocale(headers.get("accept-language")));

/** `GET /go/:slug`, the address that ads point to. Elysia answers `HEAD` through the same handler. */
export function redirectPlugin(deps: VisitDeps) {
  const visit = createVisitHandler(deps);
  return (
    new Elysia({ name: "redirect" })
      .get("/go/:slug", ({ request, params, server }) =>
        // A slug that cannot be decoded is none, whatever its type says.
        visit(request, params.slug ?? "", () => peerOf(request, server)),
      )
      // A link that lost its slug or gained a part: a visitor's page, as for a slug that nobody knows.
      .get("/go", ({ request }) => missing(request), { detail: { hide: true } })
      .get("/go/*", ({ request }) => missing(request), { detail: { hide: true } })
  );
}
