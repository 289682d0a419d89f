import type { Config } from "../config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { peerOf, type Server } from "../platform/peer.ts";
import { clientAddressFinder } from "./client-address.ts";
import { createRateLimiter, type SharedCount } from "./rate-limit.ts";

/**
 * What visits depend on whether a database is open or not.
 *
 * @param server who is asked for the address at a request's other end; null where there is none, as in tests
 * @param shared counts visitors for all processes, where anything does
 */
export function visitSettings(
  config: Config,
  metrics: Metrics,
  server: () => Server | null,
  shared?: SharedCount,
) {
  return {
    clientAddress: clientAddressFinder(config.trustedProxies),
    peerOf: (request: Request) => peerOf(request, server()),
    rateLimiter: config.rateLimitPerHour === 0 ? null : createRateLimiter(config.rateLimitPerHour, shared),
    publicUrl: config.publicUrl,
    pageviewHoldMs: config.pageviewHoldMs,
    consentDenied: config.consentDenied,
    tallies: metrics.counted.visits,
    onAnswer: metrics.onVisit,
  };
}
