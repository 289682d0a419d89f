import { Elysia } from "elysia";
import { pageLocale } from "./locale.ts";
import { notFoundPage } from "./pages.ts";
import type { VisitHandler } from "./visit.ts";

const missing = ({ headers }: Request) => notFoundPage(pageLocale(headers.get("accept-language")));

/**
 * `GET /go/:slug`, the address that ads point to, and what looks like it. The door takes those links itself (see
 * `Behind`), and leaves to this the ones with a slash at their end. Elysia answers `HEAD` through the same handler.
 */
export function redirectPlugin(visit: VisitHandler) {
  return (
    new Elysia({ name: "redirect" })
      // A slug that cannot be decoded is none, whatever its type says.
      .get("/go/:slug", ({ request, params }) => visit(request, params.slug ?? ""))
      // A link that lost its slug or gained a part: a visitor's page, as for a slug that nobody knows.
      .get("/go", ({ request }) => missing(request), { detail: { hide: true } })
      .get("/go/*", ({ request }) => missing(request), { detail: { hide: true } })
  );
}
