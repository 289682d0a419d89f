import { Elysia } from "elysia";
import type { Database } from "../db/database.ts";
import { QueueFullError } from "../db/group-commit.ts";
import { readBody } from "../platform/body.ts";
import type { Log } from "../platform/log.ts";
import { methodNotAllowed, problem } from "../platform/problem.ts";
import { cookiesDetail, ownAddressDetail } from "./docs.ts";
import { readReport } from "./report.ts";
import { type ReportRecorder, VisitWaitsError } from "./report-recorder.ts";

const MAX_BODY_BYTES = 4_096;

const EXPECTED = "Send JSON with tracking_token and any of _fbp, _fbc, _fbi.";
const PARTLY_KEPT = "The fields named here were left out; the others were taken.";

export interface CookiesDeps {
  readonly db: Pick<Database, "advice">;
  readonly reports: ReportRecorder;
  /** Who asks: the TCP peer, or whom a trusted proxy names. */
  readonly clientAddress: { find(peer: string | null, forwardedFor: string | null): string | null };
  readonly log: Log;
}

/**
 * `POST /api/tracking/cookies`: what the browser knows of Meta's cookies, beaconed by the bridge page.
 * `GET /api/tracking/ip`: the asker's own address, of which Meta's param builder makes the `_fbi` cookie.
 */
export function cookiesPlugin({ db, reports, clientAddress, log }: CookiesDeps) {
  return new Elysia({ name: "cookies" })
    .post(
      "/api/tracking/cookies",
      async ({ request }) => {
        if (request.headers.get("sec-fetch-site") === "cross-site") {
          return problem(403, { detail: "Cookies are reported by the bridge page itself only." });
        }
        const body = await readBody(request, MAX_BODY_BYTES);
        if (body.kind === "refused") return body.response;
        const { report, errors } = readReport(parseJson(body.text));
        try {
          if (report) await reports.record(report);
        } catch (error) {
          if (!(error instanceof QueueFullError || error instanceof VisitWaitsError)) {
            log.error({ error, todo: db.advice(error) }, "a cookie report could not be stored");
          }
          return tryAgain();
        }
        if (errors.length > 0) return problem(400, { detail: report ? PARTLY_KEPT : EXPECTED, errors });
        return new Response(null, { status: 204 });
      },
      // The body is read by hand: beacons call JSON `text/plain`, and a big one must be refused early.
      { parse: "none", detail: cookiesDetail() },
    )
    .all("/api/tracking/cookies", () => methodNotAllowed("POST"))
    .get(
      "/api/tracking/ip",
      ({ request, server }) => {
        const peer = server?.requestIP(request)?.address ?? null;
        const address = clientAddress.find(peer, request.headers.get("x-forwarded-for"));
        const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
        return new Response(address, { status: address === null ? 204 : 200, headers });
      },
      { detail: ownAddressDetail() },
    )
    .all("/api/tracking/ip", () => methodNotAllowed("GET, HEAD"));
}

function tryAgain(): Response {
  return problem(503, { detail: "Try again in a moment.", headers: { "retry-after": "2" } });
}

/** Undefined where the text is no JSON; the schema then says what was expected. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
