import { Elysia } from "elysia";
import { version } from "../package.json";
import { createAuthorize, keysWith } from "./api/authorize.ts";
import { openapiPlugin } from "./api/openapi.ts";
import { apiPlugin } from "./api/plugin.ts";
import { assetsPlugin } from "./assets/plugin.ts";
import { telegramBotApi } from "./bots/telegram-bot-api.ts";
import { cookiesPlugin, ownAddressPlugin } from "./cookies/plugin.ts";
import type { Deps } from "./deps.ts";
import { errorAnswer } from "./error-answer.ts";
import { funnelPlugin } from "./funnel/plugin.ts";
import { answeredWithError, observePlugin } from "./health/observe.ts";
import { healthPlugin } from "./health/plugin.ts";
import { opsPlugin } from "./ops/plugin.ts";
import { paymentsPlugin } from "./payments/plugin.ts";
import { createSales } from "./payments/sales.ts";
import { methodsAt } from "./platform/methods.ts";
import { peerOf } from "./platform/peer.ts";
import { methodNotAllowed, problem } from "./platform/problem.ts";
import { enterRequest } from "./platform/request-id.ts";
import { wholePathPlugin } from "./platform/whole-path.ts";
import { type ClientAddress, clientAddressFinder } from "./redirect/client-address.ts";
import { redirectPlugin } from "./redirect/plugin.ts";
import type { VisitHandler } from "./redirect/visit.ts";

/** All that a process answers but for a dispatcher's; `visit` is its `GET /go/:slug` (see `createVisits`). */
export function createApp(deps: Deps, visit: VisitHandler) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  const mayRead = keysWith("read", authorize);
  const mayWrite = keysWith("write", authorize);
  return (
    emptyApp(deps, clientAddress)
      .use(redirectPlugin(visit))
      .use(cookiesPlugin({ ...deps, isTrustedProxy: clientAddress.isTrusted, onAnswer: metrics.onCookies }))
      // Visitors' two routes stand before it, and count themselves.
      .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
      .use(wholePathPlugin())
      .use(healthPlugin({ ...deps, build: { version, role: config.role }, mayRead }))
      .use(ownAddressPlugin({ clientAddress }))
      .use(assetsPlugin(deps.assets))
      .use(paymentsPlugin({ ...deps.payments, authorize: mayWrite }))
      .use(
        funnelPlugin({
          ...deps,
          sales: createSales(deps.payments),
          recallVisit: deps.recorder.recall,
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
      .use(opsPlugin({ ...deps, clientAddress }))
  );
}

/**
 * What a process that only dispatches answers: whether it is well, and its numbers. A visitor who was sent to it by
 * mistake is told that nothing is here, instead of being taken in by a process that is sized for something else.
 */
export function createDispatcherApp(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const authorize = createAuthorize({ ...deps, apiKey: config.apiKey });
  const mayRead = keysWith("read", authorize);
  return emptyApp(deps, clientAddress)
    .use(observePlugin({ metrics, isTrustedProxy: clientAddress.isTrusted }))
    .use(healthPlugin({ ...deps, build: { version, role: config.role }, mayRead }));
}

/** An app that answers nothing yet, but does so properly. */
function emptyApp(deps: Deps, clientAddress: ClientAddress) {
  // Else Elysia takes the path's first slash for a short host's: `/healthz` of `http://web/x/healthz`.
  const handler = { standardHostname: false };
  const app = new Elysia({ name: "ponte", normalize: false, handler });
  return app.onError(({ code, error, request, path }) => {
    // From here on, what is logged and answered carries the request's id.
    enterRequest({ request, isFromProxy: () => clientAddress.isTrusted(peerOf(request, app.server)) });
    const answer =
      code === "NOT_FOUND"
        ? notHere(request.method, methodsAt(app, path))
        : errorAnswer(deps, code, error, request);
    return answeredWithError(request, answer);
  });
}

/** The answer where no route takes the request, or its own says that nothing is there; its address takes `methods`. */
function notHere(method: string, methods: readonly string[]): Response {
  if (methods.length > 0 && !methods.includes(method)) return methodNotAllowed(methods.join(", "));
  return problem(404, { detail: "Nothing is here." });
}
