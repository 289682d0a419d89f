import { Elysia } from "elysia";
import type { Metrics } from "../metrics/metrics.ts";
import { peerOf } from "../platform/peer.ts";
import { enterRequest } from "../platform/request-id.ts";

const PAYMENT_WEBHOOK = "/api/payments/webhooks/:provider";
const TELEGRAM_WEBHOOK = "/telegram/:botId";

/** Answers that were made from an error: Elysia does not show them to what runs after the answer. */
const errorStatuses = new WeakMap<Request, number>();

/** Tells what observes the request which answer its error came to. */
export function answeredWithError(request: Request, answer: Response): Response {
  errorStatuses.set(request, answer.status);
  return answer;
}

/**
 * Times every request of the routes that are added after it, and lets their log lines carry the request's id. What
 * is added before it, `GET /go` and the browsers' cookies, costs nothing and counts itself.
 */
export function observePlugin(deps: {
  readonly metrics: Metrics;
  readonly isTrustedProxy: (peer: string | null) => boolean;
}) {
  const { metrics, isTrustedProxy } = deps;
  return new Elysia({ name: "observe" })
    .derive({ as: "global" }, ({ request, server }) => {
      enterRequest({
        request,
        isFromProxy: () => isTrustedProxy(peerOf(request, server)),
      });
      return { startedMs: performance.now() };
    })
    .onAfterResponse({ as: "global" }, ({ request, route, params, set, responseValue, startedMs }) => {
      const given = responseValue instanceof Response ? responseValue.status : Number(set.status ?? 200);
      const status = errorStatuses.get(request) ?? given;
      const durationMs = startedMs === undefined ? 0 : performance.now() - startedMs;
      metrics.onHttp({ method: request.method, route: route || "unknown", status, durationMs });
      if (route === PAYMENT_WEBHOOK) metrics.onWebhook(params?.provider ?? "", status);
      if (route === TELEGRAM_WEBHOOK) metrics.onWebhook("telegram", status);
    });
}
