import type { Deps } from "./deps.ts";
import { errorAnswer } from "./error-answer.ts";
import type { Server } from "./platform/peer.ts";
import { createBridgePages } from "./redirect/bridge-pages.ts";
import { redisSharedCount } from "./redirect/shared-count.ts";
import { createVisitHandler, type VisitHandler } from "./redirect/visit.ts";
import { visitSettings } from "./redirect/visit-settings.ts";

/** `GET /go/:slug`, answered with all that a process has; for `server` see `visitSettings`. */
export function createVisits(deps: Deps, server: () => Server | null): VisitHandler {
  const { config, metrics, redis } = deps;
  return createVisitHandler({
    ...deps,
    ...visitSettings(config, metrics, server, redis && redisSharedCount(redis)),
    bridgePages: createBridgePages(deps.assets.bridge),
    failedAnswer: (request, error) => errorAnswer(deps, "UNKNOWN", error, request),
  });
}
