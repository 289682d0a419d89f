import type { Database } from "../../src/db/database.ts";
import { newId } from "../../src/platform/ids.ts";
import { captureVisit } from "../../src/redirect/capture.ts";
import { parseQuery } from "../../src/redirect/query.ts";
import { recordVisits } from "../../src/redirect/record-visits.ts";
import type { VisitRecord } from "../../src/redirect/visit-record.ts";
import type { AddedPool } from "./pools.ts";

/** A visit of the pool, as a request would have made it. */
export function visitOf(poolId: number, poolBotId: number, botId: number, query = ""): VisitRecord {
  const bot = { poolBotId, botId, username: "some_bot", weight: 1, totalRedirects: 0 };
  const pool = {
    id: poolId,
    database: null,
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
  const { record } = captureVisit(
    {
      url: `https://go.example.com/go/open?${query}`,
      subdomainIndex: 1,
      query: parseQuery(query),
      cookies: null,
      userAgent: "Mozilla/5.0",
      referrer: null,
      clientIp: "177.45.10.9",
    },
    pool,
    bot,
    { trackingToken: newId(), nowMs: Date.now(), holdMs: 0, consentDenied: "drop" },
  );
  return record;
}

/** Visits of the pool's first bot, each anew. */
export function visitsOf({ pool, members: [member] }: AddedPool): (query?: string) => VisitRecord {
  if (!member) throw new Error(`the pool ${pool.slug} has no bot`);
  return (query) => visitOf(pool.id, member.id, member.botId, query);
}

/** Writes visits on this thread, through whatever `db` is made to do. */
export function writerOn(db: Database) {
  return {
    write: (visits: readonly VisitRecord[]) =>
      db.recordArrivals((writer) => recordVisits(writer, db.tables, visits)),
  };
}
