import { Elysia } from "elysia";
import { version } from "../package.json";
import { createAuthorize, readersOnly, writersOnly } from "./api/authorize.ts";
import { openapiPlugin } from "./api/openapi.ts";
import { apiPlugin } from "./api/plugin.ts";
import { assetsPlugin } from "./assets/plugin.ts";
import { cookiesPlugin, ownAddressPlugin } from "./cookies/plugin.ts";
import { createReportRecorder } from "./cookies/report-recorder.ts";
import type { Deps } from "./deps.ts";
import { funnelPlugin } from "./funnel/plugin.ts";
import { answeredWithError, observePlugin } from "./health/observe.ts";
import { healthPlugin } from "./health/plugin.ts";
import { failedPage, isOpsPage } from "./ops/failed-page.ts";
import { opsPlugin } from "./ops/plugin.ts";
import { paymentsPlugin } from "./payments/plugin.ts";
import { createSales } from "./payments/sales.ts";
import { problem } from "./platform/problem.ts";
import { refusalOf } from "./platform/refusal.ts";
import { enterRequest } from "./platform/request-id.ts";
import { telegramBotApi } from "./pools/telegram-bot-api.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { type ClientAddress, clientAddressFinder } from "./redirect/client-address.ts";
import { redirectPlugin } from "./redirect/plugin.ts";
import { createRateLimiter } from "./redirect/rate-limit.ts";
import { redisSharedCount } from "./redirect/shared-count.ts";

/** The whole HTTP side as one Elysia app; tests hand it requests with `app.handle`. */
export function createApp(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  const mayWrite = writersOnly(authorize);
  return emptyApp(deps, clientAddress)
    .use(
      redirectPlugin({
        ...deps,
        rateLimiter:
          config.rateLimitPerHour === 0
            ? null
            : createRateLimiter(config.rateLimitPerHour, deps.redis && redisSharedCount(deps.redis)),
        bridgePages: createBridgePages(deps.assets.bridge),
        clientAddress,
        publicUrl: config.publicUrl,
        pageviewHoldMs: config.pageviewHoldMs,
        consentDenied: config.consentDenied,
        tallies: metrics.visits,
        onAnswer: metrics.onVisit,
      }),
    )
    .use(
      cookiesPlugin({
        ...deps,
        reports: createReportRecorder({ ...deps, writer: deps.writer.cookies }),
        isTrustedProxy: clientAddress.isTrusted,
        onAnswer: metrics.onCookies,
      }),
    )
    .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
    .use(healthPlugin({ ...deps, mayRead: readersOnly(authorize) }))
    .use(ownAddressPlugin({ clientAddress }))
    .use(assetsPlugin(deps.assets))
    .use(paymentsPlugin({ ...deps.payments, authorize: mayWrite }))
    .use(
      funnelPlugin({
        ...deps,
        sales: createSales(deps.payments),
        consentDenied: config.consentDenied,
        authorize: mayWrite,
      }),
    )
    .use(
      apiPlugin({
        ...deps,
        authorize,
        telegram: telegramBotApi(config.telegramApiUrl),
        publicUrl: config.publicUrl,
        clientAddress,
      }),
    )
    .use(openapiPlugin({ version }))
    .use(opsPlugin({ ...deps, clientAddress }));
}

/**
 * What a process that only dispatches answers: whether it is well, and its numbers. A visitor who was sent to it by
 * mistake is told that nothing is here, instead of being taken in by a process that is sized for something else.
 */
export function createDispatcherApp(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  return emptyApp(deps, clientAddress)
    .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
    .use(healthPlugin({ ...deps, mayRead: readersOnly(authorize) }));
}

/** An app that answers nothing yet, but does so properly. */
function emptyApp(deps: Deps, clientAddress: ClientAddress) {
  return new Elysia({ name: "ponte", normalize: false }).onError(({ code, error, request, server }) => {
    enterRequest({
      request,
      isFromProxy: () => clientAddress.isTrusted(server?.requestIP(request)?.address ?? null),
    });
    return answeredWithError(request, errorAnswer(deps, code, error, request));
  });
}

/** The answer to what went wrong: the request's own fault, or ours, which is logged. */
function errorAnswer(
  { log, db, assets }: Deps,
  code: string | number,
  error: unknown,
  request: Request,
): Response {
  if (code === "NOT_FOUND") return problem(404, { detail: "Nothing is here." });
  const refusal = refusalOf(error);
  if (refusal) return refusal;
  if (code === "PARSE") return problem(400, { detail: "The request could not be understood." });
  if (error instanceof URIError)
    return problem(400, { detail: "The address is not valid percent-encoding." });
  const todo = db.advice(error);
  log.error({ error, method: request.method, todo }, "a request failed");
  if (isOpsPage(request)) return failedPage(assets.ops.css, todo);
  return problem(500, { detail: "This is our fault and has been logged. Try again." });
}

export type App = ReturnType<typeof createApp> | ReturnType<typeof createDispatcherApp>;
