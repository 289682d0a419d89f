import { pageViewEvent } from "../../src/meta/page-view.ts";
import { metaRoute } from "../../src/outbox/enqueue.ts";
import { newId } from "../../src/platform/ids.ts";
import { captureVisit } from "../../src/redirect/capture.ts";
import type { VisitRecord } from "../../src/redirect/record-visits.ts";
import { sessionFacts } from "../../src/tracking/session.ts";

/** A visit of the pool, as a request would have made it. */
export function visitOf(poolId: number, poolBotId: number, botId: number, query = ""): VisitRecord {
  const bot = { poolBotId, botId, username: "some_bot", weight: 1, totalRedirects: 0 };
  const pool = {
    id: poolId,
    slug: "open",
    name: "Open",
    strategy: "weighted" as const,
    locale: null,
    autoContinueMs: null,
    captureParams: [],
    metaPixelId: "1234567890",
    metaTestEventCode: null,
    utmifyPixelId: null,
    gate: { param: null, blockAutomated: false },
    bots: [bot],
  };
  const { session } = captureVisit(
    {
      url: `https://go.example.com/go/open?${query}`,
      query: new URLSearchParams(query),
      cookies: null,
      userAgent: "Mozilla/5.0",
      referrer: null,
      clientIp: "177.45.10.9",
    },
    pool,
    bot,
    newId(),
    new Date(),
  );
  return {
    session,
    poolBotId,
    pageView: {
      destination: "meta",
      route: metaRoute("1234567890", null),
      eventName: "PageView",
      eventId: session.rootEventId,
      payload: pageViewEvent(sessionFacts(session), pool),
      poolId,
      trackingToken: session.trackingToken,
      holdMs: 0,
    },
  };
}
