import { cookiesPlugin } from "./cookies/plugin.ts";
import type { Deps } from "./deps.ts";
import { emptyApp, enter, errorAnswer } from "./empty-app.ts";
import { peerOf } from "./platform/peer.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { clientAddressFinder } from "./redirect/client-address.ts";
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
