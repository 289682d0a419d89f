import { type AnyElysia, Elysia } from "elysia";
import { cookiesPlugin } from "./cookies/plugin.ts";
import { isAway, isUnwritable } from "./db/fault.ts";
import type { Deps } from "./deps.ts";
import { answeredWithError } from "./health/observe.ts";
import { databaseAwayPage, failedPage, isOpsPage } from "./ops/failed-page.ts";
import { methodsAt } from "./platform/methods.ts";
import { peerOf } from "./platform/peer.ts";
import { internalServerError, methodNotAllowed, problem, serviceUnavailable } from "./platform/problem.ts";
import { refusalOf } from "./platform/refusal.ts";
import { enterRequest } from "./platform/request-id.ts";
import { SettingError } from "./platform/setting-error.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { type ClientAddress, clientAddressFinder } from "./redirect/client-address.ts";
import { redirectPlugin } from "./redirect/plugin.ts";
import { createRateLimiter } from "./redirect/rate-limit.ts";
import { redisSharedCount } from "./redirect/shared-count.ts";

/** The visitors' door alone. A start opens it first, and imports little more for it than what a click needs. */
export function createVisitorsApp(deps: Deps) {
  const { config, metrics } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const app = emptyApp(deps, clientAddress);
  return app
    .use(
      redirectPlugin({
        ...deps,
        rateLimiter:
          config.rateLimitPerHour === 0
            ? null
            : createRateLimiter(config.rateLimitPerHour, deps.redis && redisSharedCount(deps.redis)),
        bridgePages: createBridgePages(deps.assets.bridge),
        clientAddress,
        peerOf: (request) => peerOf(request, app.server),
        publicUrl: config.publicUrl,
        pageviewHoldMs: config.pageviewHoldMs,
        consentDenied: config.consentDenied,
        tallies: metrics.counted.visits,
        onAnswer: metrics.onVisit,
        failedAnswer(request, error) {
          enter(app, request, clientAddress);
          return errorAnswer(deps, "UNKNOWN", error, request);
        },
      }),
    )
    .use(
      cookiesPlugin({
        ...deps,
        isTrustedProxy: clientAddress.isTrusted,
        onAnswer: metrics.onCookies,
      }),
    );
}

/**
 * An app that answers nothing yet, but does so properly. Where modules that it uses are still on their way, requests
 * that only they may know wait for them. In this file because the other doors import it, too: by that the program keeps
 * the file apart from what only a start imports, and a start takes a fifth less (docs/speed.md).
 */
export function emptyApp(deps: Deps, clientAddress: ClientAddress) {
  // Else Elysia takes the path's first slash for a short host's: `/healthz` of `http://web/x/healthz`.
  const handler = { standardHostname: false };
  const app = new Elysia({ name: "ponte", normalize: false, handler });
  return app.onError(async ({ code, error, request, path }) => {
    if (code === "NOT_FOUND" && app.modules.size > 0) {
      await app.modules;
      return app.handle(request);
    }
    enter(app, request, clientAddress);
    const answer =
      code === "NOT_FOUND"
        ? notHere(request.method, methodsAt(app, path))
        : errorAnswer(deps, code, error, request);
    return answeredWithError(request, answer);
  });
}

/** From here on, what is logged and answered carries the request's id. */
function enter({ server }: Pick<AnyElysia, "server">, request: Request, clientAddress: ClientAddress): void {
  enterRequest({ request, isFromProxy: () => clientAddress.isTrusted(peerOf(request, server)) });
}

/** The answer where no route takes the request, or its own says that nothing is there; its address takes `methods`. */
function notHere(method: string, methods: readonly string[]): Response {
  if (methods.length > 0 && !methods.includes(method)) return methodNotAllowed(methods.join(", "));
  return problem(404, { detail: "Nothing is here." });
}

/** The answer to what went wrong: the request's own fault, a database that is away, or ours; the last two are logged. */
function errorAnswer(
  { log, db, assets }: Deps,
  code: string | number,
  error: unknown,
  request: Request,
): Response {
  const refusal = refusalOf(error);
  if (refusal) return refusal;
  if (code === "PARSE") return problem(400, { detail: "The request could not be understood." });
  if (error instanceof URIError)
    return problem(400, { detail: "The address is not valid percent-encoding." });
  const todo = db.advice(error);
  log.error({ error, method: request.method, todo }, "a request failed");
  const isForOperators = isOpsPage(request);
  if (error instanceof SettingError && !isForOperators) {
    return serviceUnavailable(`${error.message}. ${error.todo}`);
  }
  if (isAway(error)) {
    if (isForOperators) return databaseAwayPage(assets.ops.css);
    return serviceUnavailable("The database cannot be used at this moment. Try again.");
  }
  if (isForOperators) return failedPage(assets.ops.css, todo);
  if (isUnwritable(error)) return serviceUnavailable(`The database takes nothing until you ${todo}.`);
  return internalServerError();
}
