import { Elysia } from "elysia";
import { problem } from "../platform/problem.ts";
import { accountPages } from "./account.ts";
import { seeOther } from "./answer.ts";
import { auditPages } from "./audit/plugin.ts";
import { loginPages } from "./auth/login.ts";
import { botPages } from "./bots/plugin.ts";
import type { OpsDeps } from "./deps.ts";
import { opsGuard } from "./guard.ts";
import { keyPages } from "./keys/plugin.ts";
import { notFound } from "./not-found.ts";
import { offerPages } from "./offers/plugin.ts";
import { outboxPages } from "./outbox/plugin.ts";
import { overviewPages } from "./overview/plugin.ts";
import { poolPages } from "./pools/plugin.ts";
import { visitorPages } from "./visitors/plugin.ts";

/**
 * The operators' console under `/ops`.
 *
 * How to add a page:
 *
 * 1. `src/ops/<name>/plugin.ts` exports `<name>Pages(deps: OpsDeps)` (or an interface that extends `OpsDeps`):
 *    `new Elysia({ name: "ops.<name>" }).use(opsGuard(deps)).get("/ops/<name>", ({ operator }) => …)`. Add it below.
 *    The guard has checked session, origin and CSRF token; handlers get `operator`. Whole paths, no `prefix`.
 * 2. The view is `views/ops/<name>.tsx`: functions from plain data to JSX, made of `parts.tsx` (`PageHead`, `Card`,
 *    `StatTile`, `Badge`, `Banner`, `EmptyState`, `Pager`, `Facts`), `table.tsx` (`DataTable` and its columns),
 *    `fields.tsx`, `form.tsx` (`PostForm`, `ConfirmForm`, `FilterForm`), `settings-form.tsx` (`SettingsForm`) and
 *    `time.tsx` (`TimeOf`, always with `operator.frame.zone`). No `style` attribute and no `<script>`: the policy
 *    forbids both. Everything dynamic has `safe` beside it.
 * 3. Answer with `opsPage(operator, { title, section, children })`; a piece for htmx with `fragmentAnswer(html)`. A list's
 *    page takes `pieceOf(askedPage(query), page, lines)`.
 *    htmx runs without eval: no `hx-on`, no `js:` values, no trigger filters. Its requests carry the CSRF token.
 * 4. A change is a POST: `formFields(body)` reads it, a zod schema checks it, the function of `src/pools`, `src/outbox`
 *    … that the API and the CLI call does it with `operator.actor` for the audit log. Then `doneAndSee(operator, path,
 *    "Saved.")`; where something is wrong, the same page again with its `formStatus` and each field's `error`. `submit`
 *    puts these steps together. What an address names and is not there ends the request: `notFound`.
 * 5. Query parameters are strangers' text: parse them (`params.ts`, zod) and fall back to the default, never to a 500.
 * 6. Read with indexes and limits only (`EXPLAIN` on five million rows): on SQLite a read holds up the whole process.
 */
export function opsPlugin(deps: OpsDeps) {
  return new Elysia({ name: "ops" })
    .use(loginPages(deps))
    .use(accountPages(deps))
    .use(overviewPages(deps))
    .use(outboxPages(deps))
    .use(visitorPages(deps))
    .use(poolPages(deps))
    .use(botPages(deps))
    .use(offerPages(deps))
    .use(keyPages(deps))
    .use(auditPages(deps))
    .use(missingPages(deps))
    .use(frontDoor());
}

/** Whoever types the server's bare name into a browser is looking for the console; a program is told that nothing is there. */
function frontDoor() {
  return new Elysia({ name: "ops.front-door" }).get("/", ({ request }) =>
    request.headers.get("accept")?.includes("text/html")
      ? seeOther("/ops")
      : problem(404, { detail: "Nothing is here.", headers: { vary: "accept" } }),
  );
}

/** Addresses of the console that nobody has. */
function missingPages(deps: OpsDeps) {
  return new Elysia({ name: "ops.missing" })
    .use(opsGuard(deps))
    .get("/ops/*", ({ operator }) =>
      notFound(operator, "none", "The navigation leads to every page there is."),
    );
}
