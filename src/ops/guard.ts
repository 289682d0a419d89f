import { Elysia } from "elysia";
import { messagePage } from "../../views/ops/bare.tsx";
import type { FrameFacts } from "../../views/ops/facts.ts";
import { LARGEST_BODY_BYTES, readBody } from "../platform/body.ts";
import { equalInConstantTime } from "../platform/digests.ts";
import { peerOf } from "../platform/peer.ts";
import { RefusedRequest } from "../platform/refusal.ts";
import { urlOf } from "../platform/request-url.ts";
import { testingPools } from "../pools/testing-pools.ts";
import { htmlAnswer, insideOps, seeOther } from "./answer.ts";
import { cookieName, isSecure, readCookies } from "./auth/cookies.ts";
import { isFromHere } from "./auth/origin.ts";
import { findSession, type OperatorSession, prolongSession } from "./auth/session.ts";
import { NOTE_COOKIE, SESSION_COOKIE, ZONE_COOKIE } from "./cookie-names.ts";
import type { OpsDeps } from "./deps.ts";
import { databaseAwayPage } from "./failed-page.ts";
import { formFields } from "./form.ts";
import { doneAndSee, readNote } from "./note.ts";
import { zoneOf } from "./zone.ts";

const LOGGED_OUT = "You were not logged in any more when you sent that form: nothing was changed.";

/** Whoever is logged in, for the length of one request. */
export interface Operator {
  /** Stands in the audit log. */
  readonly actor: "console";
  readonly session: OperatorSession;
  /** What the page's frame shows; see `page.ts`. */
  readonly frame: FrameFacts;
  /** Whether cookies are for https only. */
  readonly secure: boolean;
}

/**
 * What stands before every page of the console: a session, and for a POST that it comes from one of our own pages
 * (`Origin` and the session's CSRF token, as the field `_csrf` or the header `x-csrf-token`). Handlers get
 * `{ operator }`, and the body of a POST as `URLSearchParams`, read with `formFields(body)`.
 */
export function opsGuard(deps: OpsDeps) {
  return new Elysia({ name: "ops.guard" })
    .onParse({ as: "scoped" }, async ({ request }) => {
      const body = await readBody(request, LARGEST_BODY_BYTES);
      if (body.kind === "refused") throw new RefusedRequest(body.response);
      return new URLSearchParams(body.text);
    })
    .derive({ as: "scoped" }, async ({ request, server, body }) => {
      const peer = peerOf(request, server);
      return { operator: await requireOperator(deps, request, peer, body) };
    });
}

async function requireOperator(
  deps: OpsDeps,
  request: Request,
  peer: string | null,
  body: unknown,
): Promise<Operator> {
  const secure = isSecure(deps, request, peer);
  const cookies = readCookies(request);
  const found = await lookUp(deps, cookies.get(cookieName(SESSION_COOKIE, secure)));
  if (!found) throw new RefusedRequest(() => toLogin(request, secure));
  const { session, testing } = found;
  if (request.method !== "GET" && request.method !== "HEAD") {
    const given = request.headers.get("x-csrf-token") ?? formFields(body).raw("_csrf");
    if (!isFromHere(deps.config, request) || !equalInConstantTime(given, session.csrfToken)) {
      deps.log.warn(
        { method: request.method },
        "a console form was refused: it did not come from the console",
      );
      throw new RefusedRequest(() => notFromHere(deps));
    }
  }
  const { pathname, search } = urlOf(request);
  return {
    actor: "console",
    session,
    secure,
    frame: {
      assets: deps.assets.ops,
      csrfToken: session.csrfToken,
      path: pathname + search,
      zone: zoneOf(cookies.get(ZONE_COOKIE), deps.config.timeZone),
      homeZone: deps.config.timeZone,
      note: readNote(cookies.get(NOTE_COOKIE)),
      testing,
    },
  };
}

async function lookUp(deps: OpsDeps, key: string | undefined) {
  try {
    const session = await findSession(deps.db, key, deps.now());
    if (!session) return null;
    // A database that takes no writes can still be read, and that is when operators look.
    await prolongSession(deps.db, session, deps.now()).catch((error) =>
      deps.log.warn(
        { error, todo: deps.db.advice(error) },
        "the use of a console session could not be noted",
      ),
    );
    return { session, testing: await testingPools(deps.db) };
  } catch (error) {
    deps.log.error({ error, todo: deps.db.advice(error) }, "the console cannot read the database");
    throw new RefusedRequest(() => databaseAwayPage(deps.assets.ops.css));
  }
}

/**
 * A page's own request is told by header, which htmx follows; a browser goes there by itself. Whoever sent a form comes
 * back to its page and reads there that nothing came of it.
 */
function toLogin(request: Request, secure: boolean): Response {
  if (request.headers.get("hx-request") === "true") {
    return new Response(null, {
      status: 401,
      headers: { "hx-redirect": "/ops/login", "cache-control": "no-store" },
    });
  }
  const isForm = request.method === "POST";
  const page = isForm ? URL.parse(request.headers.get("referer") ?? "") : urlOf(request);
  const next = insideOps(page && page.pathname + page.search);
  const login = next === "/ops" ? "/ops/login" : `/ops/login?next=${encodeURIComponent(next)}`;
  return isForm ? doneAndSee({ secure }, login, LOGGED_OUT, "warn") : seeOther(login);
}

function notFromHere({ assets }: OpsDeps): Response {
  return htmlAnswer(
    (nonce) =>
      messagePage({
        nonce,
        css: assets.ops.css,
        title: "This form is out of date",
        text: "Nothing was changed. Go back, reload the page and send the form again.",
      }),
    { status: 403 },
  );
}
