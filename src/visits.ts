import type { Deps } from "./deps.ts";
import { errorAnswer } from "./error-answer.ts";
import { peerOf, type Server } from "./platform/peer.ts";
import { enterRequest } from "./platform/request-id.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { clientAddressFinder } from "./redirect/client-address.ts";
import { createRateLimiter } from "./redirect/rate-limit.ts";
import { redisSharedCount } from "./redirect/shared-count.ts";
import { createVisitHandler, type VisitHandler } from "./redirect/visit.ts";

/**
 * `GET /go/:slug`, answered with all that a process has.
 *
 * @param server who is asked for the address at a request's other end; null where there is none, as in tests
 */
export function createVisits(deps: Deps, server: () => Server | null): VisitHandler {
  const { config, metrics, redis } = deps;
  const clientAddress = clientAddressFinder(config.trustedProxies);
  const peer = (request: Request) => peerOf(request, server());
  return createVisitHandler({
    ...deps,
    rateLimiter:
      config.rateLimitPerHour === 0
        ? null
        : createRateLimiter(config.rateLimitPerHour, redis && redisSharedCount(redis)),
    bridgePages: createBridgePages(deps.assets.bridge),
    clientAddress,
    peerOf: peer,
    publicUrl: config.publicUrl,
    pageviewHoldMs: config.pageviewHoldMs,
    consentDenied: config.consentDenied,
    tallies: metrics.counted.visits,
    onAnswer: metrics.onVisit,
    failedAnswer(request, error) {
      enterRequest({ request, isFromProxy: () => clientAddress.isTrusted(peer(request)) });
      return errorAnswer(deps, "UNKNOWN", error, request);
    },
  });
}
