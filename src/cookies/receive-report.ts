import type { Database } from "../db/database.ts";
import { QueueFullError } from "../db/waiting-list.ts";
import { readBody } from "../platform/body.ts";
import { parseJson } from "../platform/json.ts";
import type { Log } from "../platform/log.ts";
import { problem, serviceUnavailable } from "../platform/problem.ts";
import { enterRequest } from "../platform/request-id.ts";
import { readReport } from "./report.ts";
import { type ReportRecorder, VisitWaitsError } from "./report-recorder.ts";

const MAX_BODY_BYTES = 4_096;

const EXPECTED = "Send JSON with tracking_token and any of _fbp, _fbc, _fbi.";
const PARTLY_KEPT = "The fields named here were left out; the others were taken.";

export interface ReceiveDeps {
  readonly db: Pick<Database, "advice">;
  readonly reports: ReportRecorder;
  readonly isTrustedProxy: (peer: string | null) => boolean;
  readonly log: Log;
  readonly onAnswer: (status: number, durationMs: number) => void;
}

/** `POST /api/tracking/cookies` as a function, which times its answers itself; `peerOf` is asked for a log line's sake. */
export function createReportHandler({ db, reports, isTrustedProxy, log, onAnswer }: ReceiveDeps) {
  async function answer(request: Request): Promise<Response> {
    if (request.headers.get("sec-fetch-site") === "cross-site") {
      return problem(403, { detail: "Cookies are reported by the bridge page itself only." });
    }
    // Read by hand: beacons call JSON `text/plain`, and a big body must be refused early.
    const body = await readBody(request, MAX_BODY_BYTES);
    if (body.kind === "refused") return body.response();
    const { report, errors } = readReport(parseJson(body.text));
    try {
      if (report) await reports.record(report);
    } catch (error) {
      if (!(error instanceof QueueFullError || error instanceof VisitWaitsError)) {
        log.error({ error, todo: db.advice(error) }, "a cookie report could not be stored");
      }
      return serviceUnavailable("Nothing was stored. Send it again in a moment.");
    }
    if (errors.length > 0) return problem(400, { detail: report ? PARTLY_KEPT : EXPECTED, errors });
    return new Response(null, { status: 204 });
  }

  return async (request: Request, peerOf: () => string | null): Promise<Response> => {
    const startedMs = performance.now();
    enterRequest({ request, isFromProxy: () => isTrustedProxy(peerOf()) });
    let status = 500;
    try {
      const response = await answer(request);
      status = response.status;
      return response;
    } finally {
      onAnswer(status, performance.now() - startedMs);
    }
  };
}
