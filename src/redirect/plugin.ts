import { Elysia } from "elysia";
import { pageLocale } from "./locale.ts";
import { notFoundPage } from "./pages.ts";
import type { VisitHandler } from "./visit.ts";

const missing = ({ headers }: Request) => notFoundPage(pageLocale(headers.get("accept-language")));

/** `GET /go/:slug`, the address that ads point to. Elysia answers `HEAD` through the same handler. */
export function redirectPlugin(visit: VisitHandler) {
  const goTo = ({ request, params }: { request: Request; params: { slug: string } }) =>
    // A slug that cannot be decoded is none, whatever its type says.
    visit(request, params.slug ?? "");
  return (
    new Elysia({ name: "redirect" })
      // Elysia awaits a handler whose text looks as if it might return a promise. A bound one shows it no text: what is
      // refused at once is answered at once, which costs a twentieth less.
      .get("/go/:slug", goTo.bind(null))
      // A link that lost its slug or gained a part: a visitor's page, as for a slug that nobody knows.
      .get("/go", ({ request }) => missing(request), { detail: { hide: true } })
      .get("/go/*", ({ request }) => missing(request), { detail: { hide: true } })
  );
}
